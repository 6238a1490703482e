// Lines that may stand in a CA file, and what sshd makes of each; a real one is asked for all of them.

import { wireString } from '../agent/core/keys/wire-strings.ts'
import type { Suite } from './machine/harness/base.ts'
import { newKeyLine, newKeyPair, tokenLine } from './ssh-keys.ts'

export interface OddLine {
  name: string
  line: string | Buffer
  /** Whether sshd reads what stands behind it; or which suites' sshd does. */
  readsOn: boolean | readonly Suite[]
}

const of = (type: string, ...fields: (Buffer | string)[]) =>
  `${type} ${Buffer.concat([type, ...fields].map(wireString)).toString('base64')}`
/** Such a line, whose blob has another name for the type. */
const inside = (type: string, inner: string, ...fields: (Buffer | string)[]) =>
  `${type} ${of(inner, ...fields).split(' ')[1]}`

const E = Buffer.of(1, 0, 1)
/** A number of so many bits, as it stands on the wire. */
const number = (bits: number) => Buffer.concat([Buffer.of(0), Buffer.alloc(bits / 8, 0xf1)])
const POINT = Buffer.alloc(32, 4)
const OFF_CURVE = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)])
const SK = 'sk-ssh-ed25519@openssh.com'
const SK_ECDSA = 'sk-ecdsa-sha2-nistp256@openssh.com'
const P256 = 'ecdsa-sha2-nistp256'
const key = newKeyLine('ed25519')
const p256 = newKeyLine('p256')
const rsa = newKeyLine('rsa', 2048)
const ecdsaToken = tokenLine('sk-p256', newKeyPair('p256').publicKey, 'ssh:')
const dsa = of('ssh-dss', number(1024), number(160), Buffer.of(5), Buffer.of(7))

const BEFORE_10 = ['bullseye', 'bookworm'] as const

export const ODD_LINES: readonly OddLine[] = [
  ...on({
    nothing: '',
    blanks: ' \t ',
    'a comment': ' # x',
    'a long comment': `#${'x'.repeat(30_000)}`,
    'a NUL first, then anything': '\0garbage',
    'a NUL behind a key': `${key}\0 garbage`,
    'a key with a long comment': `${key} ${'x'.repeat(30_000)}`,
    'a key with bytes that are no text': Buffer.concat([
      Buffer.from(`${key} `),
      Buffer.of(0xff, 0xfe),
    ]),
    'a security key': tokenLine('sk-ed25519', newKeyPair('ed25519').publicKey, 'ssh:'),
    'a security key of ecdsa': ecdsaToken,
    'a security key under its algorithm': ecdsaToken.replace(/^/, 'webauthn-'),
    'a security key for no application': of(SK, POINT, ''),
    'RSA of 512 bits': of('ssh-rsa', E, number(512)),
    'RSA of 1016 bits': of('ssh-rsa', E, number(1016)),
    'RSA of no bits': of('ssh-rsa', E, ''),
    'RSA of 1024 bits': of('ssh-rsa', E, number(1024)),
    'RSA of 16384 bits': of('ssh-rsa', E, number(16384)),
    'RSA with zeros in front': of('ssh-rsa', E, Buffer.concat([Buffer.alloc(3), number(2048)])),
    'RSA with an exponent of nothing': of('ssh-rsa', '', number(2048)),
    'RSA under its algorithm': rsa.replace('ssh-rsa', 'rsa-sha2-512'),
    'RSA under its other algorithm': rsa.replace('ssh-rsa', 'rsa-sha2-256'),
    'RSA under its algorithm within': inside('ssh-rsa', 'rsa-sha2-512', E, number(2048)),
    'ed25519 of a point that is none': of('ssh-ed25519', Buffer.alloc(32, 0xff)),
  }),
  ...stops({
    'a carriage return alone': '\r',
    'a form feed': '\f',
    garbage: 'garbage',
    'long garbage': 'x'.repeat(30_000),
    'a web page': '<html>',
    'a byte order mark': '\ufeff# x',
    'an option': `cert-authority ${key}`,
    'a marker': `@cert-authority * ${key}`,
    'a type alone': 'ssh-ed25519',
    'a type and a blank': 'ssh-ed25519 ',
    'a type in upper case': key.replace('ssh-ed25519', 'SSH-ED25519'),
    'a short type': key.replace('ssh-ed25519', 'ED25519'),
    'a NUL in the base64': `${key.slice(0, 30)}\0${key.slice(30)}`,
    'a key that is cut off': key.slice(0, -4),
    'base64 without its padding': p256.replace(/=+$/, ''),
    'base64 and then some': `${key}!!`,
    'another type within': `ssh-rsa ${key.split(' ')[1]}`,
    'ed25519 that is a byte short': of('ssh-ed25519', Buffer.alloc(31)),
    'ed25519 with more behind': of('ssh-ed25519', POINT, 'x'),
    'RSA of 16392 bits': of('ssh-rsa', E, number(16392)),
    'RSA below zero': of('ssh-rsa', E, Buffer.alloc(256, 0xf1)),
    'ecdsa off its curve': of(P256, 'nistp256', OFF_CURVE),
    'ecdsa of another curve': of(P256, 'nistp384', OFF_CURVE),
    'a security key without application': of(SK, POINT),
    'a security key with a NUL in its application': of(SK, POINT, 'a\0b'),
    'a security key with more behind': of(SK, POINT, 'ssh:', 'x'),
    'a security key off its curve': of(SK_ECDSA, 'nistp256', OFF_CURVE, 'ssh:'),
  }),
  { name: 'DSA', line: dsa, readsOn: BEFORE_10 },
  {
    name: 'a short type within',
    line: inside('ssh-ed25519', 'ED25519', POINT),
    readsOn: BEFORE_10,
  },
  {
    name: 'a short type within, of RSA',
    line: inside('ssh-rsa', 'rsa', E, number(2048)),
    readsOn: BEFORE_10,
  },
]

function on(lines: Record<string, string | Buffer>): OddLine[] {
  return Object.entries(lines).map(([name, line]) => ({ name, line, readsOn: true }))
}

function stops(lines: Record<string, string | Buffer>): OddLine[] {
  return Object.entries(lines).map(([name, line]) => ({ name, line, readsOn: false }))
}

/** Ways to write one key, given as `type base64`, and whether sshd finds it there. */
export function waysToWrite(line: string): { name: string; text: string; found: boolean }[] {
  const [type = '', base64 = ''] = line.split(' ')
  const broken = (by: string) => `${type} ${base64.slice(0, 20)}${by}${base64.slice(20)}`
  return [
    { name: 'no line feed at the end', text: line, found: true },
    { name: 'CRLF', text: `${line}\r\n`, found: true },
    { name: 'CRLF behind a comment', text: `${line} x\r\n`, found: true },
    { name: 'blanks in front', text: ` \t${line}\n`, found: true },
    { name: 'tabs between', text: `${type}\t\t${base64}\n`, found: true },
    { name: 'a carriage return in front', text: `\r${line}\n`, found: false },
    { name: 'a NUL at the end', text: `${line}\0`, found: true },
    { name: 'a carriage return in the base64', text: `${broken('\r')}\n`, found: true },
    { name: 'a vertical tab in the base64', text: `${broken('\v')}\n`, found: true },
    { name: 'a vertical tab before the base64', text: `${type} \v${base64}\n`, found: true },
    { name: 'a blank in the base64', text: `${broken(' ')}\n`, found: false },
    { name: 'a no-break space behind', text: `${line}\u00a0\n`, found: false },
    { name: 'padding too much', text: `${line}=\n`, found: false },
    { name: 'twice', text: `${line}\n${line}\n`, found: true },
  ]
}

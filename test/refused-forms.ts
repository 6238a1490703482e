// Every form of a bundle that is refused: used on the parser, and on whole hosts.

import { generateKeyPairSync } from 'node:crypto'
import { wireString } from '../agent/core/keys/wire-strings.ts'
import { newKeyLine } from './ssh-keys.ts'

export interface RefusedForm {
  what: string
  code: string
  /** Counts from 1; undefined where the fault is of the whole. */
  line: number | undefined
  text: string | Buffer
}

const KEY = newKeyLine('ed25519')
const OTHER = newKeyLine('ed25519')

function relabel(line: string, from: string, to: string): string {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64')
  const rest = blob.subarray(wireString(from).length)
  return `${to} ${Buffer.concat([wireString(to), rest]).toString('base64')}`
}

const { privateKey } = generateKeyPairSync('ed25519')
const PRIVATE = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const CERTIFICATE = `ssh-ed25519-cert-v01@openssh.com ${wireString('ssh-ed25519-cert-v01@openssh.com').toString('base64')}`
const P256 = newKeyLine('p256')
const offCurve = () => {
  const blob = Buffer.from(P256.split(' ')[1] ?? '', 'base64')
  blob.writeUInt8((blob.at(-1) ?? 0) ^ 1, blob.length - 1)
  return `ecdsa-sha2-nistp256 ${blob.toString('base64')}`
}

const TABLE: [what: string, code: string, line: number | undefined, text: string | Buffer][] = [
  ['a private key', 'private-key', 2, `${KEY}\n${PRIVATE}`],
  ['an OpenSSH private key', 'private-key', 1, '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n'],
  ['a PuTTY private key', 'private-key', 1, 'PuTTY-User-Key-File-3: ssh-ed25519\n'],
  ['a private key after HTML', 'private-key', 2, `<html>\n${PRIVATE}`],
  ['a certificate', 'certificate', 2, `${KEY}\n${CERTIFICATE}\n`],
  ['cert-authority', 'option-prefix', 1, `cert-authority ${KEY}\n`],
  ['options with quotes', 'option-prefix', 1, `cert-authority,principals="a b" ${KEY}\n`],
  ['a known_hosts line', 'option-prefix', 1, `@cert-authority *.example.com ${KEY}\n`],
  ['a security key', 'sk-key', 1, relabel(KEY, 'ssh-ed25519', 'sk-ssh-ed25519@openssh.com')],
  ['a DSA key', 'dsa-key', 1, relabel(KEY, 'ssh-ed25519', 'ssh-dss')],
  ['an unknown type', 'unknown-type', 1, relabel(KEY, 'ssh-ed25519', 'ssh-ed448')],
  ['a word', 'unknown-type', 3, `${KEY}\n\nhello\n`],
  ['JSON', 'unknown-type', 1, '{"key": "x"}'],
  ['a type in capitals', 'unknown-type', 1, KEY.replace('ssh-ed25519', 'SSH-ED25519')],
  [
    'a type that is not that of the blob',
    'type-mismatch',
    1,
    KEY.replace('ssh-ed25519', 'ssh-rsa'),
  ],
  ['a type without a key', 'malformed-key', 1, 'ssh-ed25519'],
  ['a type without a key, with comment', 'malformed-key', 1, 'ssh-ed25519 !!! me'],
  ['a key cut off', 'malformed-key', 1, KEY.slice(0, -8)],
  ['a key with bytes behind it', 'malformed-key', 1, `${KEY.slice(0, -4)}AAAA${KEY.slice(-4)}`],
  ['base64 without its padding', 'malformed-key', 1, P256.replace(/=+$/, '')],
  ['a point off its curve', 'malformed-key', 1, offCurve()],
  ['RSA of 1024 bits', 'rsa-too-small', 1, newKeyLine('rsa', 1024)],
  ['HTML', 'html', 1, '<!DOCTYPE html><html><body>Sign in</body></html>'],
  ['HTML after blank lines', 'html', 1, '\n\n<html>'],
  ['nothing', 'empty', undefined, ''],
  ['blank lines', 'empty', undefined, '\n \n\n'],
  ['comments only', 'empty', undefined, '# serial: 3\n# ssh-ed25519 AAAA\n'],
  ['the same key twice', 'duplicate-key', 3, `${KEY} a\n${OTHER}\n${KEY} b\n`],
  [
    '17 keys',
    'too-many-keys',
    17,
    Array.from({ length: 17 }, () => newKeyLine('ed25519')).join('\n'),
  ],
  ['an escape sequence', 'control-character', 2, `${OTHER}\n${KEY} \u001b[2J`],
  ['a bare carriage return', 'control-character', 1, `${KEY}\r${OTHER}\n`],
  ['a C1 control', 'control-character', 1, `${KEY} \u009b31m`],
  ['a bidirectional override', 'control-character', 1, `${KEY} \u202etxet`],
  ['a byte order mark', 'control-character', 1, `\ufeff${KEY}\n`],
  ['a NUL', 'nul', 2, `${OTHER}\n${KEY}\0\n`],
  ['more than 64 KiB', 'too-large', undefined, `${KEY}\n${'#'.repeat(65_536)}`],
  ['bytes that are not UTF-8', 'not-text', undefined, Buffer.from([0x23, 0xff, 0xfe, 0x0a])],
  ['a serial that is no number', 'malformed-header', 1, `# serial: x\n${KEY}`],
  ['a serial below zero', 'malformed-header', 1, `# serial: -1\n${KEY}`],
  ['a serial past 2^53', 'malformed-header', 1, `# serial: 9007199254740993\n${KEY}`],
  [
    'a day that does not exist',
    'malformed-header',
    2,
    `#\n# expires: 2026-02-30T00:00:00Z\n${KEY}`,
  ],
  ['a time without zone', 'malformed-header', 1, `# issued: 2026-11-20T10:00:00\n${KEY}`],
  ['two serials', 'duplicate-header', 2, `# serial: 1\n# serial: 2\n${KEY}`],
  ['a signature cut off', 'cut-off-signature', 2, `${KEY}\n-----BEGIN SSH SIGNATURE-----\nAAAA\n`],
  [
    'text after the signature',
    'text-after-signature',
    4,
    `${KEY}\n-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n${OTHER}\n`,
  ],
]

export const REFUSED_FORMS: RefusedForm[] = TABLE.map(([what, code, line, text]) => ({
  what,
  code,
  line,
  text,
}))

// A signed bundle with one thing wrong with it, for each part that an attacker or an accident can reach.

import type { SignatureParts, TestSigner } from './sshsig.ts'
import { armor } from './sshsig.ts'

export interface Signed {
  text: string
  signer: TestSigner
  /** Someone whose key nobody allows. */
  stranger: TestSigner
  /** A second bundle by the same signer. */
  other: string
}

/** A number below `below`, the same in each run. */
export type Pick = (below: number) => number

type Mutate = (signed: Signed, pick: Pick) => Buffer | string

const BEGIN = '-----BEGIN SSH SIGNATURE-----'
const END = '-----END SSH SIGNATURE-----'

const signedText = ({ text, signer }: Signed) => signer.sign(text)
const parts = (text: string): [body: string, signature: string] => {
  const at = text.indexOf(BEGIN)
  return [text.slice(0, at), text.slice(at)]
}
const blobOf = (signature: string) =>
  Buffer.from(signature.split('\n').slice(1, -2).join(''), 'base64')

/** One byte changed to another one of the kind that may stand there. */
function change(bytes: Buffer, from: number, to: number, pick: Pick, alphabet: string): Buffer {
  const copy = Buffer.from(bytes)
  const at = from + pick(to - from)
  const others = [...alphabet].filter(char => char.charCodeAt(0) !== copy[at])
  copy.writeUInt8((others[pick(others.length)] ?? '~').charCodeAt(0), at)
  return copy
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function inLine(signed: Signed, start: string, alphabet: string, pick: Pick): Buffer {
  const text = signedText(signed)
  const from = text.indexOf(start)
  return change(Buffer.from(text), from + start.length, text.indexOf('\n', from), pick, alphabet)
}

// A byte of the signature's blob, in the field that begins `skip` strings behind the version.
function inBlob(signed: Signed, field: number, pick: Pick): string {
  const [body, signature] = parts(signedText(signed))
  const blob = blobOf(signature)
  let start = 10
  for (let at = 0; at < field; at++) start += 4 + blob.readUInt32BE(start)
  const end = field === 5 ? blob.length : start + 4 + blob.readUInt32BE(start)
  const at = start + pick(end - start)
  blob.writeUInt8(blob.readUInt8(at) ^ (1 + pick(255)), at)
  return body + armor(blob)
}

const resigned = (signed: Signed, wrong: SignatureParts) => signed.signer.sign(signed.text, wrong)

/** Refused by ssh-keygen and by us, whichever bytes are picked. */
export const REFUSED_BY_BOTH: Record<string, Mutate> = {
  'a digit of the serial': (signed, pick) => inLine(signed, '# serial: ', '0123456789', pick),
  'a character of a header': (signed, pick) => inLine(signed, '# issued: ', '0123456789', pick),
  'a character of a key': (signed, pick) => inLine(signed, 'ssh-ed25519 AAAA', BASE64, pick),
  'any byte of the text': (signed, pick) => {
    const text = signedText(signed)
    const bytes = Buffer.from(text)
    const at = pick(text.indexOf(BEGIN) - 1)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + pick(255)), at)
    return bytes
  },
  'a line taken out': (signed, pick) => {
    const [body, signature] = parts(signedText(signed))
    const lines = body.split('\n').slice(0, -1)
    lines.splice(pick(lines.length), 1)
    return `${lines.map(line => `${line}\n`).join('')}${signature}`
  },
  'a line put in': (signed, pick) => {
    const [body, signature] = parts(signedText(signed))
    const lines = body.split('\n').slice(0, -1)
    lines.splice(pick(lines.length + 1), 0, `${signed.stranger.line} me-too`)
    return `${lines.map(line => `${line}\n`).join('')}${signature}`
  },
  CRLF: signed => signedText(signed).replaceAll('\n', '\r\n'),
  'the key inside the signature': (signed, pick) => inBlob(signed, 0, pick),
  'the namespace': (signed, pick) => inBlob(signed, 1, pick),
  'the hash': (signed, pick) => inBlob(signed, 3, pick),
  'the signature itself': (signed, pick) => inBlob(signed, 4, pick),
  'the magic': (signed, pick) => {
    const [body, signature] = parts(signedText(signed))
    const blob = blobOf(signature)
    const at = pick(6)
    blob.writeUInt8(blob.readUInt8(at) ^ (1 + pick(255)), at)
    return body + armor(blob)
  },
  'a newer version': (signed, pick) => resigned(signed, { version: 2 + pick(2 ** 31) }),
  'another namespace, signed': (signed, pick) =>
    resigned(signed, {
      namespace: ['file', 'git', '', 'pomerium-user-ca2', 'Pomerium-user-ca'][pick(5)] ?? '',
    }),
  'our namespace, another signed': signed => resigned(signed, { signedNamespace: 'file' }),
  'another hash, signed': (signed, pick) =>
    resigned(signed, { hash: ['sha1', 'sha384', 'md5'][pick(3)] ?? '' }),
  'another algorithm': (signed, pick) =>
    resigned(signed, {
      algorithm: ['ssh-rsa', 'ssh-dss', '', 'ssh-ed25519-cert-v01@openssh.com'][pick(4)] ?? '',
    }),
  'bytes behind the blob': (signed, pick) =>
    resigned(signed, { tail: Buffer.alloc(1 + pick(9), 1) }),
  'a stranger signs': ({ text, stranger }) => stranger.sign(text),
  'a stranger signs, the allowed key stands there': ({ text, signer, stranger }) =>
    stranger.sign(text, { keyBlob: signer.blob }),
  'a signature of another bundle': signed => parts(signedText(signed))[0] + parts(signed.other)[1],
  'cut off': (signed, pick) => {
    const text = signedText(signed)
    return text.slice(0, text.length - END.length - 2 - pick(text.length - 200))
  },
  'a character of the armor': (signed, pick) => {
    const text = signedText(signed)
    const from = text.indexOf(BEGIN) + BEGIN.length + 1
    // The last line may end in padding, and its spare bits are another mutation.
    return change(Buffer.from(text), from, from + 70 * 2, pick, '-_.,:;!?=~')
  },
  'a base64 character dropped': (signed, pick) => {
    const text = signedText(signed)
    const at = text.indexOf(BEGIN) + BEGIN.length + 1 + pick(69)
    return text.slice(0, at) + text.slice(at + 1)
  },
  'the BEGIN line': (signed, pick) => {
    const text = signedText(signed)
    const at = text.indexOf(BEGIN)
    return change(Buffer.from(text), at, at + BEGIN.length, pick, 'xyzXYZ0 =')
  },
  'the END line': (signed, pick) => {
    const text = signedText(signed)
    const at = text.indexOf(END)
    return change(Buffer.from(text), at, at + END.length, pick, 'xyzXYZ0 =')
  },
  'no signature': ({ text }) => text,
  'an empty signature': ({ text }) => `${text}${BEGIN}\n${END}\n`,
  'bundle, bundle, signature': signed => signed.text + signedText(signed),
  'signature first': signed => {
    const [body, signature] = parts(signedText(signed))
    return signature + body
  },
}

/**
 * Where we are stricter, each for its reason: ssh-keygen stops reading at the END line, so that what
 * follows is signed by nobody; and it takes more than one spelling of the same key or number.
 */
export const REFUSED_BY_US_ALONE: Record<string, Mutate> = {
  'text after the signature': signed => `${signedText(signed)}${signed.stranger.line} me-too\n`,
  'text on the END line': signed => signedText(signed).replace(END, `${END} and more`),
  'text behind an END line with more on it': signed =>
    signedText(signed).replace(END, `${END}!\n${signed.stranger.line} me-too\n${END}`),
  'two signatures': signed => signedText(signed) + parts(signed.stranger.sign(signed.text))[1],
  'signed twice, the first signature as text': signed => {
    const once = signedText(signed)
    return signed.stranger.sign(once)
  },
  'two bundles': signed => signedText(signed) + signed.other,
  'a namespace that ends in NUL': signed =>
    resigned(signed, { namespace: 'pomerium-user-ca\0', signedNamespace: 'pomerium-user-ca' }),
}

/** Taken by both: what the protocol or the armor leaves free. None of it changes what is trusted. */
export const TAKEN_BY_BOTH: Record<string, Mutate> = {
  'as it was signed': signedText,
  sha256: signed => resigned(signed, { hash: 'sha256' }),
  'something reserved': (signed, pick) => resigned(signed, { reserved: 'x'.repeat(1 + pick(20)) }),
  'version 0': signed => resigned(signed, { version: 0 }),
  'white space in the armor': (signed, pick) => {
    const text = signedText(signed)
    const at = text.indexOf(BEGIN) + BEGIN.length + 1 + pick(100)
    return `${text.slice(0, at)}${[' ', '\t', '\n', '\r\n', ' \n\n'][pick(5)]}${text.slice(at)}`
  },
  'the armor in one line': signed => {
    const [body, signature] = parts(signedText(signed))
    return `${body}${BEGIN}\n${blobOf(signature).toString('base64')}\n${END}\n`
  },
  'no newline at the end': signed => signedText(signed).trimEnd(),
  'blank lines at the end': signed => `${signedText(signed)}\n\n`,
}

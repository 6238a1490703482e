import { trimChars } from '../basics/trim-chars.ts'
import { type CaKey, parseCaKey } from '../keys/ca-key.ts'
import { parseSecurityKey } from '../keys/security-key.ts'
import {
  type LocalTime,
  OPTIONS_FORM,
  parseOptions,
  type SignerOptions,
} from './allowed-signer-options.ts'
import { principalIn } from './principals.ts'
import { NAMESPACE } from './sshsig.ts'

/** One key that may sign, with its limits. */
export interface AllowedSigner extends SignerOptions {
  /** The principals field as it stands, without its quotes. */
  principals: string
  /** One of them that may sign. */
  principal: string
  /** The line as it stands, but for its times. */
  untimed: string
  key: Pick<CaKey, 'base64' | 'comment' | 'fingerprint'>
  /** Counts from 1. */
  line: number
}

export interface SignersFault {
  line?: number
  message: string
  /** What to write in its place, where that can be told. */
  instead?: string
}

const BARE_KEY = 'a public key alone; before it stands who signs with it, and what for'
const FOR_BUNDLES = `publisher namespaces="${NAMESPACE}"`

/**
 * Reads a file in the form of ssh-keygen(1), ALLOWED SIGNERS. One bad line refuses the whole file: a
 * limit that is misspelt must not become no limit, and one that ssh-keygen reads otherwise is not
 * guessed at. A time without `Z` is the host's own (`localTime`), by the stricter reading.
 */
export function parseAllowedSigners(
  text: string,
  localTime: LocalTime,
): { signers: AllowedSigner[] } | { faults: SignersFault[] } {
  const signers: AllowedSigner[] = []
  const faults: SignersFault[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = index + 1
    // As ssh-keygen: no other blanks than these, and a carriage return at the end only.
    const content = trimChars(raw, ' \t', ' \t\r')
    if (content === '' || content.startsWith('#')) continue
    const parsed = parseLine(content, localTime)
    if ('fault' in parsed) faults.push({ line, ...explain(content, parsed.fault) })
    else signers.push({ ...parsed, line })
  }
  if (faults.length > 0) return { faults }
  return signers.length > 0 ? { signers } : { faults: [{ message: 'no signer in it' }] }
}

// What ssh-keygen -y prints, and a .pub file holds: the line that is meant can be said.
function explain(content: string, fault: string): Omit<SignersFault, 'line'> {
  if (CONTROLS.test(content) || parseSignerKey(content).kind !== 'key') return { message: fault }
  return { message: BARE_KEY, instead: `${FOR_BUNDLES} ${content}` }
}

const CONTROLS = /[\p{Cc}\p{Cf}]/u

function parseLine(
  content: string,
  localTime: LocalTime,
): Omit<AllowedSigner, 'line'> | { fault: string } {
  if (CONTROLS.test(content.replaceAll('\t', ''))) return { fault: 'a control character' }
  // What a decoder puts where the bytes are no text.
  if (content.includes('\ufffd')) return { fault: 'not UTF-8' }
  const match = /^("([^"]*)"|([^ \t"]+))[ \t]+([^ \t].*)$/.exec(content)
  const [, field = '', quoted, bare, rest = ''] = match ?? []
  const principals = quoted ?? bare ?? ''
  if (principals.split(',').includes('')) {
    return { fault: 'a line is: principals [options] keytype base64' }
  }
  const principal = principalIn(principals)
  if (principal === undefined) {
    return { fault: 'none of its principals may sign: each is excluded, or too long' }
  }
  const plain = parseSignerKey(rest)
  if (plain.kind === 'key') {
    return { principals, principal, key: plain.key, untimed: `${field} ${rest}` }
  }
  const end = endOfOptions(rest)
  const after = end === undefined ? '' : rest.slice(end).replace(/^[ \t]+/, '')
  if (end === undefined || after === '') return { fault: plain.message }
  const key = parseSignerKey(after)
  // Where no key stands behind the first word either, the first word is what is wrong.
  if (key.kind === 'refused') {
    return { fault: isKeyType(rest) ? plain.message : key.message }
  }
  const options = parseOptions(rest.slice(0, end), localTime)
  if ('fault' in options) return options
  const untimed = [field, options.untimed, after].filter(part => part !== '').join(' ')
  return { principals, principal, key: key.key, ...options, untimed }
}

// Whoever signs bundles may hold the key on a token, which no CA does.
function parseSignerKey(line: string): { kind: 'key'; key: AllowedSigner['key'] } | Unfit {
  const token = parseSecurityKey(line)
  if (token !== undefined) return { kind: 'key', key: token }
  const parsed = parseCaKey(line)
  if (parsed.kind === 'key') return parsed
  // Here options may stand before a key, and these are none.
  if (parsed.code === 'option-prefix') return { ...parsed, message: OPTIONS_FORM }
  if (parsed.code !== 'sk-key') return parsed
  return { ...parsed, message: 'the sk-* key is damaged, or of a type that OpenSSH does not have' }
}

type Unfit = Extract<ReturnType<typeof parseCaKey>, { kind: 'refused' }>

const isKeyType = (text: string) => /^(ssh-|ecdsa-|sk-|webauthn-)/.test(text)

/** Where the options end: the first blank outside quotes; `undefined` where a quote is left open. */
function endOfOptions(text: string): number | undefined {
  return /^(?:\\"|\\(?!")|"(?:\\"|\\(?!")|[^"\\])*"|[^ \t"\\])*(?=[ \t])/.exec(text)?.[0].length
}

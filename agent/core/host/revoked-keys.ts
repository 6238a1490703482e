import { showBytes } from '../sshd-config/bytes.ts'
import { type ConfigSnapshot, scanOf } from '../sshd-config/config-snapshot.ts'
import type { Directive } from '../sshd-config/directive.ts'
import { overrides, settings } from '../sshd-config/effective-line.ts'

/** What keeps sshd from reading a file of revoked keys, so that it refuses every public key. */
export type RevokedKeysFault =
  | { kind: 'missing' }
  /** As the end of a sentence: `is a folder`. */
  | { kind: 'unreadable'; why: string }

/** By path (bytes): what is wrong with each file that a `RevokedKeys` names; good ones have no entry. */
export type RevokedKeysFaults = ReadonlyMap<string, RevokedKeysFault>

/**
 * The file that a line names, as sshd comes to it from `/`. `none` is nothing at global scope, and a
 * file's name within a Match: there it is compared with no "none" any more (servconf.c, CLEAR_ON_NONE
 * in fill_default_server_options alone).
 */
export function revokedKeysFile({ args, matches }: Directive): string | undefined {
  const [name] = args
  if (name === undefined) return undefined
  if (name.toLowerCase() === 'none') return matches.length === 0 ? undefined : '/none'
  if (name.startsWith('~')) return name.replace(/^~(root)?\/*/, '/root/')
  return name.startsWith('/') ? name : `/${name}`
}

/** Every file that a `RevokedKeys` line names, for some connections or for all. */
export function revokedKeysFiles(config: ConfigSnapshot): string[] {
  const files = settings(scanOf(config), 'revokedkeys').flatMap(at => revokedKeysFile(at) ?? [])
  return [...new Set(files)]
}

/** The lines within a Match whose file is at fault, so that sshd refuses every key there; `own` is put right. */
export function brokenRevocations(config: ConfigSnapshot, faults: RevokedKeysFaults, own: string) {
  return overrides(scanOf(config), 'revokedkeys').flatMap(at => {
    const file = revokedKeysFile(at)
    const fault = file === undefined ? undefined : faults.get(file)
    return file === undefined || file === own || fault === undefined ? [] : [{ at, file, fault }]
  })
}

/** `/etc/ssh/revoked, which is missing`, for the middle of a sentence. */
export function describeRevokedKeys(file: string, fault: RevokedKeysFault): string {
  return `${showBytes(file)}, which ${fault.kind === 'missing' ? 'is missing' : fault.why}`
}

/** What a file holds that some `RevokedKeys` names, where sshd can go by it. */
export type KeyList = { kind: 'list'; content: Buffer } | { kind: 'krl' }

/** The keys of a flat list, as they stand there; what is no key is passed over. */
export function linesOfKeys(content: Buffer): { type: string; base64: string }[] {
  return keyTexts(content).flatMap(({ text }) => {
    const [, type = '', base64 = ''] = KEY.exec(text) ?? []
    return isPublicKey(text) ? [{ type, base64 }] : []
  })
}

/**
 * What is wrong with a flat list of keys, as sshd reads it (authfile.c, sshkey_in_file): one line that
 * is no public key and every key is refused that does not stand above it. `undefined` where it is good.
 */
export function faultInKeyList(content: Buffer): RevokedKeysFault | undefined {
  const odd = keyTexts(content).find(({ text }) => !isPublicKey(text))
  return odd && { kind: 'unreadable', why: `is no list of keys at line ${odd.line}` }
}

function keyTexts(content: Buffer): { text: string; line: number }[] {
  return content
    .toString('latin1')
    .split('\n')
    .map((line, index) => {
      const [text = ''] = line.replace(/^[ \t]+/, '').split('\0')
      return { text, line: index + 1 }
    })
    .filter(({ text }) => text !== '' && !text.startsWith('#'))
}

const KEY = /^([^ \t]+)[ \t]+([^ \t\r]+)/

/** As every key revocation list begins (PROTOCOL.krl). */
const KRL_MAGIC = Buffer.from('SSHKRL\n\0', 'latin1')

export function isKrl(content: Buffer): boolean {
  return content.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC)
}

// A type and a blob of the same type inside; sshd takes apart the rest of it as well.
function isPublicKey(text: string): boolean {
  const [, type = '', base64 = ''] = KEY.exec(text) ?? []
  const blob = Buffer.from(base64, 'base64')
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0)
  const inside = blob.subarray(4, 4 + length).toString('latin1')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && inside === type && blob.length > 4 + length
}

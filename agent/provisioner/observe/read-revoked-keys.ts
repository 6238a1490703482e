import {
  faultInKeyList,
  isKrl,
  type KeyList,
  type RevokedKeysFault,
} from '../../core/host/revoked-keys.ts'
import { readWhole } from '../files/config-files.ts'
import type { Host } from '../host/host.ts'
import { loadsKrl } from '../openssh/krl.ts'

/** What a file of revoked keys holds, or what keeps sshd from going by it; `undefined`: only root sees. */
export function lookAtRevokedKeys(
  host: Host,
  path: string,
): KeyList | RevokedKeysFault | undefined {
  const read = readWhole(host, path)
  if (read.kind === 'endless') return { kind: 'unreadable', why: `is ${read.what}` }
  if (read.kind === 'nothing') {
    if (read.code === 'EACCES' && !host.isRoot) return undefined
    return read.code === 'ENOENT'
      ? { kind: 'missing' }
      : { kind: 'unreadable', why: WHY[read.code] ?? OTHER }
  }
  const { content } = read
  if (!isKrl(content)) return faultInKeyList(content) ?? { kind: 'list', content }
  return loadsKrl(host, path) === false
    ? { kind: 'unreadable', why: 'is a damaged list (KRL)' }
    : { kind: 'krl' }
}

const OTHER = "can't be opened"
const WHY: Readonly<Record<string, string>> = {
  EISDIR: 'is a folder',
  ELOOP: 'is a link that leads back to itself',
}

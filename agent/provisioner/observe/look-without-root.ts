import type { Place } from '../../core/config/layout.ts'
import type { Unseen } from '../../core/host/observation.ts'
import { APPLY, bad, type Finding, warn } from '../../core/outcome/finding.ts'
import { errorCode, isThere } from '../files/file-system.ts'
import type { Host } from '../host/host.ts'

/**
 * What of our files can be seen without root: whether they are there, whose they are, and who may write
 * to them. What lies in them, and what sshd makes of its configuration, is for root to see. `revokes`:
 * sshd was told of a list of revoked keys.
 */
export function lookWithoutRoot(
  host: Host,
  revokes: boolean,
): { found: Finding[]; unseen: Unseen[] } {
  const { caFolder, caFile, revokedKeys } = host.layout
  const files = revokes ? [caFile, revokedKeys] : [caFile]
  const why = 'only root may read it'
  const unseen: Unseen[] = [
    ...files.map(({ path }) => ({ what: path, why })),
    { what: 'what sshd uses (sshd -T)', why: 'only root may read its host keys' },
  ]
  // Another folder may be set, in a config that not everybody may read.
  if (!isThere(host.fs, host.at(caFolder.path))) return { found: [], unseen }
  return { found: files.flatMap(file => findingsOf(file, host)), unseen }
}

function findingsOf(file: Place, { fs, at, owner }: Host): Finding[] {
  try {
    const { mode, uid, gid } = fs.lstatSync(at(file.path))
    const octal = (mode & 0o7777).toString(8).padStart(4, '0')
    const wrong = [
      ...((mode & 0o7777) === file.mode ? [] : [`mode ${octal}`]),
      ...(uid === owner.uid && gid === owner.gid ? [] : [`owner ${uid}:${gid}`]),
    ].join(', ')
    return wrong === '' ? [] : [warn('drift', `changed since: ${file.path} (${wrong})`, APPLY)]
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') return []
    return [bad('drift', `changed since: ${file.path} (missing)`, APPLY)]
  }
}

import { APPLY, bad, type Finding, warn } from '../core/finding.ts'
import type { Unseen } from '../core/observation.ts'
import { errorCode, isThere } from './file-system.ts'
import type { Host } from './host.ts'

/**
 * What of our files can be seen without root: whether the CA file is there, whose it is, and who may
 * write to it. What lies in it, and what sshd makes of its configuration, is for root to see.
 */
export function glanceAtFiles(host: Host): { found: Finding[]; unseen: Unseen[] } {
  const { caFolder, caFile } = host.layout
  const why = 'only root may read it'
  const unseen: Unseen[] = [
    { what: caFile.path, why },
    { what: 'what sshd uses (sshd -T)', why: 'only root may read its host keys' },
  ]
  const at = host.at(caFile.path)
  // Another folder may be set, in a config that not everybody may read.
  if (!isThere(host.fs, host.at(caFolder.path))) return { found: [], unseen }
  try {
    const { mode, uid, gid } = host.fs.lstatSync(at)
    const octal = (mode & 0o7777).toString(8).padStart(4, '0')
    const wrong = [
      ...((mode & 0o7777) === caFile.mode ? [] : [`mode ${octal}`]),
      ...(uid === host.owner.uid && gid === host.owner.gid ? [] : [`owner ${uid}:${gid}`]),
    ].join(', ')
    const found =
      wrong === '' ? [] : [warn('drift', `changed since: ${caFile.path} (${wrong})`, APPLY)]
    return { found, unseen }
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') return { found: [], unseen }
    return { found: [bad('drift', `changed since: ${caFile.path} (missing)`, APPLY)], unseen }
  }
}

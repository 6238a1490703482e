import type { ConfigSnapshot } from '../sshd-config/config-snapshot.ts'
import { isOwnDropIn } from './drop-in.ts'
import { hasBlock } from './marked-block.ts'
import type { Written } from './written-files.ts'

/**
 * What of ours sshd's configuration shows by itself, where there is no record to go by: our block, the
 * drop-ins that begin as ours do, and the files of keys that these name.
 */
export function recogniseOwnFiles({ texts }: ConfigSnapshot): Written[] {
  return [...texts].flatMap(([path, text]): Written[] => {
    if (hasBlock(text)) return [{ path, is: 'block' }]
    if (!isOwnDropIn(text)) return []
    const files = text.matchAll(/^\s*(?:TrustedUserCAKeys|RevokedKeys) (\/\S+)$/gm)
    const keys = [...files].map(([, file = '']) => ({ path: file, is: 'keys' as const }))
    return [{ path, is: 'config' }, ...keys]
  })
}

import type { DropIn } from '../host/drop-in.ts'
import type { CaKey } from '../keys/ca-key.ts'

/** What the host shall be. */
export interface Wanted extends Omit<DropIn, 'revokedKeys'> {
  keys: readonly CaKey[]
  /** CAs that are dead, whoever names them. */
  revoked: readonly CaKey[]
  /** The fingerprints of all keys that ever came to this host by a bundle. */
  published: readonly string[]
  conflict: 'refuse' | 'adopt'
  restart: 'rotation' | 'config-change'
}

import { showUrl } from '../network/source-url.ts'
import type { Config } from './config.ts'

/**
 * Who could have this host trust a CA of their own, and what keeps them from it; undefined where signers or
 * fingerprints do already. docs/security.md has the whole.
 */
export function describeOpenTrust({ source, trust }: Config): string | undefined {
  if (trust.signersFile !== undefined || trust.fingerprints !== undefined) return undefined
  const place = source.url === undefined ? 'the source' : showUrl(source.url)
  return `nobody has to sign, and no fingerprint is fixed: whoever can change ${place} can have this host trust a CA of their own, and log in as anyone. To change that, say who may sign (trust.signers_file; of install.sh: --signers-file) or which keys alone may be trusted (trust.fingerprints; --fingerprint)`
}

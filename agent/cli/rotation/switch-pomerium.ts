import type { Edition } from '../../publisher/rotate/rotation.ts'
import { columns } from '../terminal/screen.ts'

/**
 * How Pomerium is made to sign with the new key, wherever its settings are. The names are those of
 * Pomerium 0.30 and later: its config file, its consoles, and the Ingress Controller's CRD.
 */
export function howToSwitch({ fingerprints }: Edition): string[] {
  const places = [
    ['  config file', 'ssh_user_ca_key_file (or ssh_user_ca_key): the new private key'],
    ['  Zero', 'console → Settings → SSH → SSH User CA Key: paste it, and apply'],
    ['  Enterprise', 'console → Settings → SSH → SSH User CA Key'],
    ['  Ingress', 'ssh-privatekey in the Secret of the CRD’s spec.ssh.userCaKeySecret'],
  ]
  return [
    'Switch Pomerium now to the private key of',
    ...fingerprints.map(each => `  ${each}`),
    ...columns(places),
    'Pomerium does not watch key files: restart every instance of it.',
  ]
}

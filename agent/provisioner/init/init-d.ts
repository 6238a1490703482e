import { SSHD_NAMES } from './commanded-service.ts'
import type { ServiceHost } from './init.ts'

/** The script of a service in /etc/init.d, which sysvinit and OpenRC share. */
export const scriptPath = (name: string) => `/etc/init.d/${name}`

/** What sshd's script is called, where there is one. */
export function sshdScript({ exists }: Pick<ServiceHost, 'exists'>): string | undefined {
  return SSHD_NAMES.find(name => exists(scriptPath(name)))
}

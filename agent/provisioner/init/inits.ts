import type { Init } from './init.ts'
import { openrc } from './openrc.ts'
import { runit } from './runit.ts'
import { systemd } from './systemd.ts'
import { sysvinit } from './sysvinit.ts'

/**
 * The inits that we know, in the order of asking: OpenRC may run under sysvinit's init, and /sbin/init is
 * there under each of them. install.sh is given them by the build.
 */
export const INITS: readonly Init[] = [systemd, openrc, runit, sysvinit]

import type { Init } from './init.ts'
import { unitServices } from './our-services/units.ts'
import { scheduleRestart } from './systemd/deferred-restart.ts'
import { openSystemd } from './systemd/sshd-unit.ts'

export const systemd: Init = {
  title: 'systemd',
  // sd_booted(3).
  running: { file: '/run/systemd/system' },
  installed: ['/lib/systemd/systemd', '/usr/lib/systemd/systemd'],
  openSshd: openSystemd,
  async runLater(run, afterSeconds, argv) {
    const { kind } = await scheduleRestart(run, afterSeconds, argv)
    return kind !== 'not-scheduled'
  },
  sandboxed: true,
  ourServices: unitServices,
}

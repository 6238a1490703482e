import { commandedService } from './commanded-service.ts'
import type { Init } from './init.ts'
import { scriptPath, sshdScript } from './init-d.ts'
import { scriptServices } from './our-services/scripts.ts'

const control = (name: string, verb: string) => ['rc-service', name, verb]
const update = (verb: string) => (name: string) => ['rc-update', '--quiet', verb, name, 'default']

export const openrc: Init = {
  title: 'OpenRC',
  // openrc(8) keeps its runlevel there, under its own init and under sysvinit's.
  running: { file: '/run/openrc/softlevel' },
  installed: ['/sbin/openrc'],
  // A service whose process has died counts as started; `zap` makes OpenRC forget that (openrc-run(8)).
  openSshd(host) {
    const name = sshdScript(host)
    if (name === undefined) return undefined
    const rescue = [control(name, 'zap'), control(name, 'start')]
    return commandedService({ name, restart: control(name, 'restart'), rescue }, host)
  },
  sandboxed: false,
  ourServices: scriptServices('openrc', {
    path: scriptPath,
    add: update('add'),
    remove: update('delete'),
    control,
    isUp: name => control(name, 'status'),
    isEnabled: name => ['test', '-e', `/etc/runlevels/default/${name}`],
    disable: update('delete'),
    enable: update('add'),
  }),
}

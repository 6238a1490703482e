import { commandedService } from './commanded-service.ts'
import type { Init } from './init.ts'
import { scriptPath, sshdScript } from './init-d.ts'
import { scriptServices } from './our-services/scripts.ts'

const control = (name: string, verb: string) => [scriptPath(name), verb]

export const sysvinit: Init = {
  title: 'sysvinit',
  // In a container without an init the script would kill process 1, which is sshd.
  running: { file: '/run/initctl', process1: 'init' },
  installed: ['/sbin/init'],
  // By its script: service(8) adds nothing, and is not everywhere.
  openSshd(host) {
    const name = sshdScript(host)
    if (name === undefined) return undefined
    const rescue = [control(name, 'start')]
    return commandedService({ name, restart: control(name, 'restart'), rescue }, host)
  },
  sandboxed: false,
  ourServices: scriptServices('sysvinit', {
    path: scriptPath,
    add: name => ['update-rc.d', name, 'defaults'],
    remove: name => ['update-rc.d', '-f', name, 'remove'],
    control,
    isUp: name => control(name, 'status'),
    isEnabled: name => ['sh', '-c', `ls /etc/rc[2345].d/S??${name}`],
    disable: name => ['update-rc.d', name, 'disable'],
    enable: name => ['update-rc.d', name, 'enable'],
    // By update-rc.d(8).
    insserv: true,
  }),
}

import { commandedService, SSHD_NAMES } from './commanded-service.ts'
import type { Init } from './init.ts'
import { scriptServices } from './our-services/scripts.ts'

/** Where runsvdir(8) looks for services: on Debian, on Void, as it came. */
const SERVICE_FOLDERS = ['/etc/service', '/var/service', '/service']

// Until runsv(8) is there, sv(8) can tell it nothing.
const awaited = (name: string) =>
  `n=0; until [ -e /etc/sv/${name}/supervise/ok ] || [ $n = 80 ]; do sleep 0.1; n=$((n + 1)); done`

const down = (name: string) => `/etc/sv/${name}/down`

export const runit: Init = {
  title: 'runit',
  running: { process1: 'runit' },
  installed: ['/sbin/runit-init'],
  // `sv restart` also brings up what Debian's `finish` has taken down.
  openSshd(host) {
    const isSupervised = (name: string) =>
      SERVICE_FOLDERS.some(folder => host.exists(`${folder}/${name}`))
    const name = SSHD_NAMES.find(isSupervised)
    if (name === undefined) return undefined
    return commandedService({ name, restart: ['sv', 'restart', name] }, host)
  },
  sandboxed: false,
  ourServices: scriptServices('runit', {
    path: name => `/etc/sv/${name}/run`,
    // runsvdir(8) finds it within five seconds.
    add: name => ['sh', '-c', `ln -sfn /etc/sv/${name} /etc/service/${name}; ${awaited(name)}`],
    // runsv(8) keeps a folder of its own beside the script.
    remove: name => [
      'sh',
      '-c',
      `rm -f /etc/service/${name}; sv force-shutdown /etc/sv/${name}; rm -rf /etc/sv/${name}`,
    ],
    // sv(8) waits for the service to be up.
    control: (name, verb) => ['sv', '-w', '20', verb, name],
    // Not by its exit code, which says that it is as it was told to be: be it down.
    isUp: name => ['sh', '-c', `sv status ${name} | grep -q ^run:`],
    // runsv(8) goes on, and starts nothing where there is this file.
    isEnabled: name => ['sh', '-c', `[ -e /etc/service/${name} ] && [ ! -e ${down(name)} ]`],
    disable: name => ['touch', down(name)],
    enable: name => ['rm', '-f', down(name)],
  }),
}

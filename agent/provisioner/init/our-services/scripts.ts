import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../../installation/install-record.ts'
import type { LaidFile } from '../../installation/lay-file.ts'
import type { Run } from '../../processes/run-command.ts'
import type { Services } from '../../records/stood-down.ts'
import type { Init } from '../find-init.ts'
import { keepBootOrder, restoreBootOrder } from './insserv-order.ts'
import { runOrThrow } from './lay-units.ts'

/** The services of an init without activation, and how it is told of them. */
export interface InitScripts {
  files: LaidFile[]
  enable(site: Site, run: Run): Promise<void>
  start(site: Site, renewed: boolean, run: Run): Promise<void>
  /** Has boot start again what `restScripts` took from it. */
  resume(run: Run): Promise<void>
  stop(running: boolean, run: Run): Promise<void>
  disable(site: Site, run: Run): Promise<void>
}

// In the order of starting: the one that is asked comes before the one that asks.
const NAMES = ['pomerium-host-agent-provisioner', 'pomerium-host-agent']

/** The services of the release, for an init. */
export function initScripts(init: Exclude<Init, 'systemd'>, folder: string): InitScripts {
  const { path, enable, disable, control, isUp, resume } = INITS[init]
  const each = async (names: string[], run: Run, argv: (name: string) => string[]) => {
    for (const name of names) await runOrThrow(run, argv(name))
  }
  const changedOf = ({ changed }: Site) => NAMES.filter(name => changed.includes(path(name)))
  return {
    files: NAMES.map(name => ({
      path: path(name),
      content: readFileSync(join(folder, init, name)),
      mode: 0o755,
      uid: 0,
      gid: 0,
    })),
    // Told of once: what was laid before is known to the init already.
    async enable(site, run) {
      if (changedOf(site).length > 0) keepBootOrder(site)
      await each(changedOf(site), run, enable)
    },
    async start(site, renewed, run) {
      for (const name of NAMES) {
        const up = (await run(isUp(name))).code === 0
        const stale = renewed || site.changed.length > 0
        if (up && !stale) continue
        await runOrThrow(run, control(name, up ? 'restart' : 'start'))
        site.changed.push(name)
      }
    },
    resume: run => each(NAMES, run, resume),
    async stop(running, run) {
      if (!running) return
      for (const name of NAMES.toReversed()) {
        if ((await run(isUp(name))).code === 0) await runOrThrow(run, control(name, 'stop'))
      }
    },
    async disable(site, run) {
      await each(NAMES.toReversed(), run, disable)
      restoreBootOrder(site)
    },
  }
}

/** Which of ours the init starts at boot, and which are up. */
export async function scriptsUp(init: Exclude<Init, 'systemd'>, run: Run): Promise<Services> {
  const { isEnabled, isUp } = INITS[init]
  const which = async (argv: (name: string) => string[]) => {
    const all = await Promise.all(
      NAMES.map(async name => ((await run(argv(name))).code === 0 ? [name] : [])),
    )
    return all.flat()
  }
  const enabled = await which(isEnabled)
  // Only what is known to the init can be asked.
  return { enabled, started: enabled.length === 0 ? [] : await which(isUp) }
}

/** Stops the services, the one that asks first, and takes them from what boot starts. */
export async function restScripts(
  init: Exclude<Init, 'systemd'>,
  { enabled, started }: Services,
  running: boolean,
  run: Run,
): Promise<void> {
  const { control, rest } = INITS[init]
  if (running) for (const name of started.toReversed()) await runOrThrow(run, control(name, 'stop'))
  for (const name of enabled.toReversed()) await runOrThrow(run, rest(name))
}

/** …and puts them up again. */
export async function resumeScripts(
  init: Exclude<Init, 'systemd'>,
  { enabled, started }: Services,
  running: boolean,
  run: Run,
): Promise<void> {
  const { control, resume, isUp } = INITS[init]
  for (const name of enabled) await runOrThrow(run, resume(name))
  if (!running) return
  for (const name of new Set([...enabled, ...started])) {
    if ((await run(isUp(name))).code !== 0) await runOrThrow(run, control(name, 'start'))
  }
}

/** Our services under such an init: whether each is there and up, and what starts it. */
export async function scriptStates(
  init: Exclude<Init, 'systemd'>,
  exists: (path: string) => boolean,
  run: Run,
): Promise<{ name: string; laid: boolean; up: boolean; start: string }[]> {
  const { path, isUp, control } = INITS[init]
  const states = NAMES.map(async name => {
    const laid = exists(path(name))
    const up = laid && (await run(isUp(name))).code === 0
    return { name, laid, up, start: control(name, 'start').join(' ') }
  })
  return Promise.all(states)
}

interface InitCommands {
  path(name: string): string
  enable(name: string): string[]
  disable(name: string): string[]
  control(name: string, verb: 'start' | 'stop' | 'restart'): string[]
  isUp(name: string): string[]
  /** Whether boot starts it; what keeps boot from that, the script left where it is; and what undoes it. */
  isEnabled(name: string): string[]
  rest(name: string): string[]
  resume(name: string): string[]
}

// Until runsv(8) is there, sv(8) can tell it nothing.
const awaited = (name: string) =>
  `n=0; until [ -e /etc/sv/${name}/supervise/ok ] || [ $n = 80 ]; do sleep 0.1; n=$((n + 1)); done`

const down = (name: string) => `/etc/sv/${name}/down`

const script = (name: string) => `/etc/init.d/${name}`

const INITS: Record<Exclude<Init, 'systemd'>, InitCommands> = {
  openrc: {
    path: script,
    enable: name => ['rc-update', '--quiet', 'add', name, 'default'],
    disable: name => ['rc-update', '--quiet', 'delete', name, 'default'],
    control: (name, verb) => ['rc-service', name, verb],
    isUp: name => ['rc-service', name, 'status'],
    isEnabled: name => ['test', '-e', `/etc/runlevels/default/${name}`],
    rest: name => ['rc-update', '--quiet', 'delete', name, 'default'],
    resume: name => ['rc-update', '--quiet', 'add', name, 'default'],
  },
  sysvinit: {
    path: script,
    enable: name => ['update-rc.d', name, 'defaults'],
    disable: name => ['update-rc.d', '-f', name, 'remove'],
    control: (name, verb) => [script(name), verb],
    isUp: name => [script(name), 'status'],
    isEnabled: name => ['sh', '-c', `ls /etc/rc[2345].d/S??${name}`],
    rest: name => ['update-rc.d', name, 'disable'],
    resume: name => ['update-rc.d', name, 'enable'],
  },
  // sv(8) waits for the service to be up; runsvdir(8) finds it within five seconds.
  runit: {
    path: name => `/etc/sv/${name}/run`,
    enable: name => ['sh', '-c', `ln -sfn /etc/sv/${name} /etc/service/${name}; ${awaited(name)}`],
    // runsv(8) keeps a folder of its own beside the script.
    disable: name => [
      'sh',
      '-c',
      `rm -f /etc/service/${name}; sv force-shutdown /etc/sv/${name}; rm -rf /etc/sv/${name}`,
    ],
    control: (name, verb) => ['sv', '-w', '20', verb, name],
    // Not by its exit code, which says that it is as it was told to be: be it down.
    isUp: name => ['sh', '-c', `sv status ${name} | grep -q ^run:`],
    // runsv(8) goes on, and starts nothing where there is this file.
    isEnabled: name => ['sh', '-c', `[ -e /etc/service/${name} ] && [ ! -e ${down(name)} ]`],
    rest: name => ['touch', down(name)],
    resume: name => ['rm', '-f', down(name)],
  },
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Site } from '../../installation/install-record.ts'
import { dropFile, type LaidFile, layFile } from '../../installation/lay-file.ts'
import { runOrThrow } from '../../installation/run-or-throw.ts'
import { openProcessTable } from '../../processes/process-table.ts'
import type { Run } from '../../processes/run-command.ts'
import { keepBootOrder, restoreBootOrder } from './insserv-order.ts'
import type { OurServices } from './our-services.ts'
import { proveScripts, STARTED_WITH } from './prove-scripts.ts'

/** Where the services write their log. */
export const SERVICE_LOG = '/var/log/pomerium-host-agent.log'

// In the order of starting.
const NAMES = [...STARTED_WITH.keys()]

/** How an init without activation is told of a service's script. */
export interface ScriptCommands {
  path(name: string): string
  /** Makes the script that was laid known to the init, to be started at boot; and undoes it. */
  add(name: string): string[]
  remove(name: string): string[]
  control(name: string, verb: 'start' | 'stop' | 'restart'): string[]
  isUp(name: string): string[]
  /** Whether boot starts it; what keeps boot from that, the script left where it is; and what undoes it. */
  isEnabled(name: string): string[]
  disable(name: string): string[]
  enable(name: string): string[]
  /** To add a script and to remove it has insserv(8) order the boot. */
  insserv?: true
}

/** Our services as scripts of an init; they lie in the release in a folder of its name. */
export function scriptServices(init: string, commands: ScriptCommands): OurServices {
  const { path, control, isUp } = commands
  const each = async (names: readonly string[], run: Run, argv: (name: string) => string[]) => {
    for (const name of names) await runOrThrow(run, argv(name))
  }
  const which = async (run: Run, argv: (name: string) => string[]) => {
    const all = NAMES.map(async name => ((await run(argv(name))).code === 0 ? [name] : []))
    return (await Promise.all(all)).flat()
  }
  const start = async (site: Site, renewed: boolean, run: Run) => {
    for (const name of NAMES) {
      const up = (await run(isUp(name))).code === 0
      const stale = renewed || site.changed.length > 0
      if (up && !stale) continue
      await runOrThrow(run, control(name, up ? 'restart' : 'start'))
      site.changed.push(name)
    }
  }
  return {
    async setUp(site, wish, { running, run, layOthers }) {
      await layOthers()
      for (const file of filesIn(join(wish.program, 'init', init), path)) layFile(site, file)
      if (wish.stayDown) return
      // Told of once: what was laid before is known to the init already.
      const added = NAMES.filter(name => site.changed.includes(path(name)))
      if (added.length > 0 && commands.insserv) keepBootOrder(site)
      await each(added, run, commands.add)
      if (wish.stoodDown) await each(NAMES, run, commands.enable)
      if (wish.start && running) await start(site, wish.renewed, run)
    },
    paths: () => NAMES.map(path),
    async stop(_, { running, run }) {
      if (!running) return
      for (const name of NAMES.toReversed()) {
        if ((await run(isUp(name))).code === 0) await runOrThrow(run, control(name, 'stop'))
      }
    },
    async takeOff(site, run) {
      await each(NAMES.toReversed(), run, commands.remove)
      if (commands.insserv) restoreBootOrder(site)
      for (const name of NAMES) dropFile(site, path(name))
    },
    async filesGone() {},
    async find(run) {
      const enabled = await which(run, commands.isEnabled)
      // Only what is known to the init can be asked.
      return { enabled, started: enabled.length === 0 ? [] : await which(run, isUp) }
    },
    async pause({ enabled, started }, { running, run }) {
      // The one that asks first.
      if (running) await each(started.toReversed(), run, name => control(name, 'stop'))
      await each(enabled.toReversed(), run, commands.disable)
    },
    async resume({ enabled, started }, { running, run }) {
      await each(enabled, run, commands.enable)
      if (!running) return
      for (const name of new Set([...enabled, ...started])) {
        if ((await run(isUp(name))).code !== 0) await runOrThrow(run, control(name, 'start'))
      }
    },
    async see({ exists, run, isRoot }) {
      // Their scripts and supervisors answer nobody else.
      if (!isRoot) {
        const unseen = [{ what: 'the services of the agent', why: `only root may ask ${init}` }]
        return { units: [], wanted: [], unseen }
      }
      const units = NAMES.map(async name => {
        const laid = exists(path(name))
        const up = laid && (await run(isUp(name))).code === 0
        return {
          unit: name,
          load: laid ? 'loaded' : 'not-found',
          active: up ? 'active' : 'inactive',
          ...{ sub: '', result: 'success', file: 'enabled' },
          start: control(name, 'start').join(' '),
        }
      })
      return { units: await Promise.all(units), wanted: NAMES, unseen: [] }
    },
    prove: () => proveScripts(openProcessTable(), SERVICE_LOG),
  }
}

function filesIn(folder: string, path: (name: string) => string): LaidFile[] {
  return NAMES.map(name => ({
    path: path(name),
    content: readFileSync(join(folder, name)),
    ...{ mode: 0o755, uid: 0, gid: 0 },
  }))
}

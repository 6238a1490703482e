// Whole Debian hosts for tests: booted from a cached tree in half a second, thrown away after.

import { ensureBase, ensurePackages, type Suite } from './base.ts'
import {
  type Command,
  type ExecOptions,
  type ExecResult,
  execInside,
  type Running,
  spawnInNetwork,
  spawnInside,
} from './exec.ts'
import { type HostFiles, hostFiles } from './host-files.ts'
import { assemble } from './nspawn.ts'
import { waitFor } from './wait-for.ts'

export interface HostOptions {
  suite: Suite
  /** Folders laid above the base, the topmost first; they are only read. */
  layers?: readonly string[]
  /** Debian packages that the host has beside the base; made once and cached. */
  packages?: readonly string[]
  /** Files and folders of the outside machine, each with where the host sees it, read-only. */
  binds?: Readonly<Record<string, string>>
  /** Changes to the host's files before its first boot. */
  prepare?: (files: HostFiles) => void | Promise<void>
  /** Process 1 and its arguments, for hosts without systemd. */
  init?: readonly string[]
  /** When the host counts as booted; if not given, when systemd has no more jobs. */
  booted?: (host: Host) => Promise<boolean>
}

export interface Host extends HostFiles, AsyncDisposable {
  readonly suite: Suite
  /** Unique on this machine, and the host's own hostname. */
  readonly name: string
  /** Init's process id outside, for nsenter. Another one after `reboot`. */
  readonly pid: number
  /** Runs a command in the host to its end. Throws with all its output if it fails. */
  exec(command: Command, options?: ExecOptions): Promise<ExecResult>
  /** Starts a command in the host and leaves it running. */
  spawn(command: Command, options?: Pick<ExecOptions, 'env' | 'user'>): Running
  /** Starts a program of the outside machine in the host's network, such as a control plane. */
  inNetwork(argv: readonly string[]): Running
  /** As `waitFor`; what it throws ends in the last lines of the host's journal. */
  waitFor<T>(
    what: string,
    probe: () => T | Promise<T>,
    timeoutMs?: number,
  ): Promise<Exclude<T, false | undefined>>
  /** What `systemctl show` says of a unit. A property that systemd does not know is missing. */
  unitProperties<N extends string>(
    unit: string,
    names: readonly N[],
  ): Promise<Partial<Record<N, string>>>
  /** The journal of this boot, of one unit if given. */
  journal(unit?: string): Promise<string>
  /** All that the host printed on its console. */
  console(): string
  /** Pulls the plug. Nothing gets to finish; the disk stays for the next boot. */
  powerCut(): Promise<void>
  /** Pulls the plug if it is in, and boots again from the same disk. */
  reboot(): Promise<void>
  /** Pulls the plug and throws the host away. May be called twice. */
  stop(): Promise<void>
}

let count = 0

/** Boots a host and returns when it is up. Its network is its own loopback and nothing else. */
export async function bootHost(options: HostOptions): Promise<Host> {
  const { suite, layers = [], packages = [], binds, prepare, booted = systemdIsUp } = options
  const base = await ensureBase(suite)
  const extra = packages.length === 0 ? [] : [await ensurePackages(suite, packages)]
  count += 1
  const name = `pha-${suite}-${process.pid}-${count}`
  const chassis = await assemble(name, [...layers, ...extra, base], { init: options.init, binds })
  let pid = 0
  let stopped: Promise<void> | undefined
  const outsiders = new Set<Running>()

  const boot = async () => {
    pid = await chassis.powerOn()
    await waitFor(`${name} to boot`, () => booted(host)).catch(error => {
      throw new Error(`${name} did not boot: ${chassis.console()}`, { cause: error })
    })
  }
  const endOutsiders = async () => {
    for (const outsider of outsiders) outsider.kill()
    await Promise.allSettled([...outsiders].map(outsider => outsider.done))
  }
  const cut = async () => {
    await endOutsiders()
    await chassis.powerOff()
    pid = 0
  }
  const host: Host = {
    ...hostFiles(() => (pid === 0 ? chassis.tree : `/proc/${pid}/root`)),
    suite,
    name,
    get pid() {
      return pid
    },
    get root() {
      return pid === 0 ? chassis.tree : `/proc/${pid}/root`
    },
    exec: (command, options) => execInside(pid, command, options),
    spawn: (command, options) => spawnInside(pid, command, options),
    inNetwork(argv) {
      const child = spawnInNetwork(pid, argv)
      outsiders.add(child)
      child.done.finally(() => outsiders.delete(child)).catch(() => {})
      return child
    },
    waitFor: (what, probe, timeoutMs = 10_000) =>
      waitFor(what, probe, { timeoutMs }).catch(async error => {
        const journal = await host.journal()
        const tail = journal.split('\n').slice(-40).join('\n')
        throw new Error(`${error.message} on ${name}\n${tail}`, { cause: error })
      }),
    async unitProperties(unit, names) {
      const flags = names.map(name => `--property=${name}`)
      const { stdout } = await host.exec(['systemctl', 'show', unit, ...flags])
      const lines = stdout.split('\n').filter(line => line.includes('='))
      return Object.fromEntries(lines.map(splitAtFirstEquals)) as Partial<Record<string, string>>
    },
    async journal(unit) {
      const only = unit === undefined ? [] : ['--unit', unit]
      const show = ['journalctl', '--boot', '--no-pager', '--output=short-monotonic']
      const { stdout } = await host.exec([...show, ...only])
      return stdout
    },
    console: chassis.console,
    powerCut: cut,
    async reboot() {
      await cut()
      await boot()
    },
    async stop() {
      stopped ??= endOutsiders().finally(() => chassis.release())
      await stopped
    },
    [Symbol.asyncDispose]: () => host.stop(),
  }
  try {
    await prepare?.(host)
    await boot()
    return host
  } catch (error) {
    await host.stop()
    throw error
  }
}

/** Whether systemd has no more jobs, be it that some have failed. */
export async function systemdIsUp(host: Host): Promise<boolean> {
  const { stdout } = await host.exec(['systemctl', 'is-system-running'], { allowFail: true })
  return ['running', 'degraded'].includes(stdout.trim())
}

function splitAtFirstEquals(line: string): [string, string] {
  const at = line.indexOf('=')
  return [line.slice(0, at), line.slice(at + 1)]
}

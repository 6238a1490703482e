import { spawnSync } from 'node:child_process'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { optional } from '../core/basics/when-defined.ts'
import type { Config } from '../core/config/config.ts'
import { layoutOf } from '../core/config/layout.ts'
import { bytesOf, fromBytes } from '../core/sshd-config/bytes.ts'
import { type FileSystem, isThere, realFileSystem } from './files/file-system.ts'
import { underRoot } from './files/under-root.ts'
import { budgetedService, listenerArgv, noService } from './host/budgeted-restarts.ts'
import type { Host } from './host/host.ts'
import { runningInits } from './init/find-init.ts'
import { findService } from './init/find-service.ts'
import {
  configFile,
  configOptions,
  findSshd,
  openSshd,
  optionLines,
  type RecentSshd,
} from './openssh/openssh.ts'
import { openSecondVerifier } from './openssh/second-verifier.ts'
import { openProcessTable } from './processes/process-table.ts'
import { runCommand } from './processes/run-command.ts'
import { stateOrFresh } from './records/state.ts'
import { configuredPorts } from './sshd/listening.ts'
import { openRestartHistory } from './sshd/restart-history.ts'
import type { FoundSshd, ServiceState } from './sshd/ssh-service.ts'

/** The argv by which a command of this program is started again, for a restart that is put off. */
export type Again = (command: string) => readonly string[]

/**
 * The host that this process runs on, or the tree of another one under `root`. `recorded`: what the
 * config does not say is as it was when the host was configured last.
 */
export async function openHost(
  config: Config['sshd'],
  root: string,
  again: Again,
  { isRoot, recorded = false }: { isRoot: boolean; recorded?: boolean },
): Promise<Host> {
  const at = (path: string) => (root === '/' ? path : inTree(root, path))
  const layout = layoutOf(config)
  const base = {
    layout,
    at,
    fs: realFileSystem,
    owner: { uid: 0, gid: 0 },
    isRoot,
    // Of the machine that this runs on, for a tree too: what lies in that may be of another kind.
    verifyAgain: openSecondVerifier(realFileSystem, runCommand, {
      folder: dirname(layout.statusFile.path),
    }),
    ...optional('relabel', findRelabel()),
  }
  return root === '/' ? runningHost(base, config, again, recorded) : tree(base, root)
}

// An sshd that somebody started by hand while its service is stopped does not become the service.
function unitOf(state: ServiceState): string | undefined {
  return 'unit' in state ? state.unit : state.insteadOf
}

// A link in the tree leads to a place in the tree: an absolute one would lead out of it.
function inTree(root: string, path: string): string {
  const bytes = (text: string) => bytesOf(Buffer.from(text))
  return fromBytes(underRoot(realFileSystem, bytes(root), bytes(path), 'keep')).toString()
}

type Base = Pick<Host, 'layout' | 'at' | 'fs' | 'owner' | 'isRoot' | 'verifyAgain' | 'relabel'>

async function runningHost(
  base: Base,
  config: Config['sshd'],
  again: Again,
  recorded: boolean,
): Promise<Host> {
  const { fs, at, layout, owner } = base
  const clock = { now: () => Date.now(), sleep: async (ms: number) => void (await sleep(ms)) }
  let sshd: RecentSshd | undefined
  const ports = async () => (sshd === undefined ? [] : configuredPorts(await sshd.lately()))
  const processes = openProcessTable()
  const exists = (path: string) => isThere(fs, path)
  const { sshd: before } = stateOrFresh(base)
  const read = (path: string) => readIfThere(fs, at(path))
  const restartCommand = config.restartCommand ?? (recorded ? before?.restartCommand : undefined)
  const service = findService(
    { run: runCommand, processes, clock, ports, exists, read, ...optional('found', before) },
    restartCommand,
  )
  const program = findSshd(fs, at)
  const argv = await listenerArgv(service)
  // What starts a program that is not sshd does not say with which options that starts sshd.
  const told = argv !== undefined && /(^|\/)sshd$/.test(argv[0] ?? '')
  const options = told ? configOptions(argv) : (before?.options ?? configOptions(argv ?? []))
  // One that has not been seen yet, nor how it is started, is not found: it may well bring its own.
  const found: FoundSshd | undefined = told
    ? {
        ...optional('unit', unitOf(await service.state()) ?? before?.unit),
        options,
        ...optional('restartCommand', restartCommand && [...restartCommand]),
      }
    : before
  if (program !== undefined) {
    sshd = openSshd([program, ...options], runCommand, {
      fs,
      runFolder: '/run/sshd',
      now: clock.now,
    })
  }
  const { path, mode } = layout.restarts
  const history = openRestartHistory(fs, path, { mode, ...owner })
  const defer = async (afterMs: number) => {
    const [init] = runningInits({ exists, processes })
    return (await init?.runLater?.(runCommand, afterMs / 1000, again('repair'))) ?? false
  }
  return {
    ...base,
    tree: false,
    mainConfig: configFile(options) ?? defaultConfigFile(base),
    commandLine: optionLines(options),
    sshd,
    ...optional('found', found),
    service: budgetedService({ service, history, clock }, defer),
  }
}

// In a tree, sshd reads /etc/ssh of the tree, as the host will once it has booted.
async function tree(base: Base, root: string): Promise<Host> {
  const { fs, at } = base
  const program = findSshd(fs, at)
  const argv = ['chroot', root, program ?? '']
  const sshd = openSshd(argv, runCommand, { fs, runFolder: at('/run/sshd') })
  const runs = program !== undefined && (await sshd.version()) !== undefined
  return {
    ...base,
    tree: true,
    mainConfig: defaultConfigFile(base),
    sshd: runs ? sshd : undefined,
    service: noService,
  }
}

// SUSE keeps the vendor's file apart; one in /etc replaces it.
function defaultConfigFile({ fs, at }: Base): string {
  const [usual, vendor] = ['/etc/ssh/sshd_config', '/usr/etc/ssh/sshd_config'] as const
  return !isThere(fs, at(usual)) && isThere(fs, at(vendor)) ? vendor : usual
}

const RESTORECON = ['/usr/sbin/restorecon', '/sbin/restorecon']

/** restorecon(8) does nothing where SELinux is off: where it is installed, it is called. */
function findRelabel(): Host['relabel'] {
  const program = RESTORECON.find(path => isThere(realFileSystem, path))
  if (program === undefined) return undefined
  return path => {
    const { status, stderr } = spawnSync(program, [path], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`restorecon ${path}: ${stderr.trim() || `exit ${status}`}`)
  }
}

function readIfThere(fs: FileSystem, path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

// systemd-nspawn as a machine with a power button.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { waitFor } from './wait-for.ts'

export interface Chassis {
  /** The tree of the host, seen from outside; there from now until `release`. */
  readonly tree: string
  /** Boots, and returns the process id of the host's init. */
  powerOn(): Promise<number>
  /** Pulls the plug: every process of the host is gone at once, the disk stays as it is. */
  powerOff(): Promise<void>
  /** Everything that the host printed on its console. */
  console(): string
  /** Pulls the plug and throws the disk away. */
  release(): Promise<void>
}

export interface Setup {
  /** Process 1 and its arguments; systemd if not given. */
  init?: readonly string[] | undefined
  /** Paths outside, each with where the host sees it, read-only. */
  binds?: Readonly<Record<string, string>> | undefined
}

/**
 * Puts a host together from `lowerDirs` (the topmost first) without booting it. It goes,
 * and leaves nothing, when this process does, even where that is killed by SIGKILL.
 */
export async function assemble(
  name: string,
  lowerDirs: readonly string[],
  { init = ['--boot'], binds = {} }: Setup,
): Promise<Chassis> {
  const tree = '/run/tree'
  const nspawn = ['systemd-nspawn', '--private-network', '--quiet', '--register=no', '--keep-unit']
  nspawn.push('--console=pipe', `--machine=${name}`, '-D', tree)
  for (const [outside, inside] of Object.entries(binds)) {
    nspawn.push(`--bind-ro=${outside}:${inside}`)
  }
  nspawn.push(...init)
  const script = join(import.meta.dirname, 'machine.sh')
  const holder = ['--mount', 'sh', script, name, lowerDirs.join(':'), ...nspawn]
  // In a session of its own: ctrl-C must not take the holder before it has cleaned up.
  const child = spawn('unshare', holder, { detached: true })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
  }
  // A holder that died while a boot is asked of it is reported by the boot's own wait.
  child.stdin.on('error', () => {})
  const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
  // Waits for what only a living holder can bring about.
  const comes = <T>(what: string, probe: () => T) =>
    waitFor(`${what} of ${name}`, () => {
      if (child.exitCode === null && child.signalCode === null) return probe()
      throw new Error(`host ${name} fell apart: ${output.join('')}`)
    })
  const outside = `/proc/${child.pid}/root${tree}`
  await comes('the disk', () => existsSync(`${outside}/etc`))

  return {
    tree: outside,
    async powerOn() {
      child.stdin.write('on\n')
      return comes('init', () => initOf(child))
    },
    async powerOff() {
      child.stdin.write('off\n')
      await comes('the end', () => childrenOf(child.pid).length === 0)
    },
    console: () => output.join(''),
    async release() {
      child.stdin.end()
      await closed
    },
  }
}

// The process that is number 1 in a namespace of its own and is no longer nspawn preparing it:
// to enter earlier would be to run on the outside machine.
function initOf(holder: ChildProcess): number | undefined {
  const candidates = childrenOf(holder.pid).flatMap(childrenOf)
  return candidates.find(pid => {
    try {
      const pids = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^NSpid:\t(.*)$/m)?.[1]
      const exe = basename(readlinkSync(`/proc/${pid}/exe`))
      return pids?.split('\t').at(-1) === '1' && pids.includes('\t') && exe !== 'systemd-nspawn'
    } catch {
      return false
    }
  })
}

function childrenOf(pid: number | undefined): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return list.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

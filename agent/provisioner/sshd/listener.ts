import { configFile, configOptions } from '../openssh/openssh.ts'
import type { ProcessTable } from '../processes/process-table.ts'
import { type ListenerLine, parseListener } from './listener-argv.ts'
import type { FoundSshd } from './ssh-service.ts'

export interface Listener extends ListenerLine {
  pid: number
  /** The systemd service it belongs to, where it belongs to one. */
  unit?: string
}

/** root's sshd that listens with this process id; `undefined` where there is none. */
export function listenerAt(processes: ProcessTable, pid: number): Listener | undefined {
  const line = parseListener(processes.read(pid, 'cmdline') ?? '')
  if (line === undefined) return undefined
  const status = processes.read(pid, 'status') ?? ''
  if (!isRoots(status) || isInContainer(status)) return undefined
  const unit = unitOf(processes.read(pid, 'cgroup') ?? '')
  return { pid, ...line, ...(unit === undefined ? {} : { unit }) }
}

/** Every sshd of this host that listens, those of containers on it aside. */
export function findListeners(processes: ProcessTable): Listener[] {
  return processes.pids().flatMap(pid => listenerAt(processes, pid) ?? [])
}

/** The sshd that listens in a unit; its main process may be a wrapper that has sshd as its child. */
export function listenerIn(
  unit: string,
  mainPid: number,
  processes: ProcessTable,
): Listener | undefined {
  if (mainPid === 0) return undefined
  const main = listenerAt(processes, mainPid)
  return main ?? findListeners(processes).find(listener => listener.unit === unit)
}

/** The file that a listening sshd was started from. */
export function configOf({ argv }: Pick<Listener, 'argv'>): string {
  return fileOf(configOptions(argv))
}

/** The file that sshd starts from with these options. */
export function fileOf(options: readonly string[]): string {
  return configFile(options) ?? '/etc/ssh/sshd_config'
}

/**
 * Those of `listeners` that may be the sshd of this host, the one that was started first, as far as
 * numbers tell, before all others: that which was `found` before, by its configuration; else one
 * without a configuration of its own, which an sshd of another service (for SFTP, say) has.
 */
export function ofThisHost(
  listeners: readonly Listener[],
  found: Pick<FoundSshd, 'options'> = { options: [] },
): Listener[] {
  const file = fileOf(found.options)
  return listeners.filter(each => configOf(each) === file).sort((a, b) => a.pid - b.pid)
}

// proc(5): the first is the real one, whose process it is. Anybody can give a process of theirs sshd's
// title, and by its `-f` and `-o` name a configuration that root would go by, and write to.
function isRoots(status: string): boolean {
  return /^Uid:\s*0\s/m.test(status)
}

// proc(5): NSpid has one number for each pid namespace from ours inwards.
function isInContainer(status: string): boolean {
  const numbers = /^NSpid:\s*(.*)$/m.exec(status)?.[1]
  return numbers !== undefined && numbers.trim().split(/\s+/).length > 1
}

// cgroups(7): `0::/system.slice/ssh.service`, or `1:name=systemd:…` with version 1.
function unitOf(cgroup: string): string | undefined {
  const lines = cgroup.split('\n')
  const paths = [lines.find(line => line.startsWith('0::')), lines.find(isNamed)]
  const names = paths.flatMap(path => /\/([^/]+\.service)(?:\/|$)/.exec(path ?? '')?.[1] ?? [])
  return names[0]
}

function isNamed(line: string): boolean {
  return line.includes(':name=systemd:')
}

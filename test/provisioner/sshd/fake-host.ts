// A host made of recorded answers: what processes it has, what its commands say.

import type {
  ProcessFile,
  ProcessTable,
} from '../../../agent/provisioner/processes/process-table.ts'
import type { Run } from '../../../agent/provisioner/processes/run-command.ts'
import type { Clock } from '../../../agent/provisioner/sshd/ssh-service.ts'

export type FakeProcess = Partial<Record<ProcessFile, string>>

const TITLE = 'sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0'

/** A `/proc/PID/net/tcp` on which `ports` are listened on. */
export function tcpTable(...ports: number[]): string {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
  const line = (port: number, at: number) =>
    `   ${at}: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 249987 1 00000000171a8f53 100 0 0 10 0`
  return [header, ...ports.map(line), ''].join('\n')
}

export function sshd(over: FakeProcess = {}): FakeProcess {
  const status = 'Name:\tsshd\nPPid:\t1\nUid:\t0\t0\t0\t0\nNSpid:\t39\n'
  const cgroup = '9:name=systemd:/\n0::/system.slice/ssh.service\n'
  return { cmdline: TITLE, comm: 'sshd\n', status, cgroup, 'net/tcp': tcpTable(22), ...over }
}

export function processTable(processes: Record<number, FakeProcess>): ProcessTable {
  return {
    pids: () => Object.keys(processes).map(Number),
    inService: unit =>
      Object.keys(processes)
        .map(Number)
        .filter(pid => processes[pid]?.cgroup?.includes(`/system.slice/${unit}\n`)),
    read: (pid, file) => processes[pid]?.[file],
  }
}

/** A clock on which a sleep takes no time; `slept` has them all. */
export function fakeClock(start = 1_000_000): Clock & { slept: number[] } {
  let now = start
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    async sleep(ms) {
      slept.push(ms)
      now += ms
    },
  }
}

/** Answers by the first that the command's line starts with; `ran` has every line. */
export function fakeRun(answer: (line: string) => string | { code: number; stderr?: string }) {
  const ran: string[] = []
  const run: Run = async argv => {
    const line = argv.join(' ')
    ran.push(line)
    const said = answer(line)
    return typeof said === 'string'
      ? { code: 0, stdout: said, stderr: '' }
      : { code: said.code, stdout: '', stderr: said.stderr ?? '' }
  }
  return { run, ran }
}

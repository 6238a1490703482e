// Runs in a host's network, see sshd-probe.ts: HZ PORT as arguments; the end of stdin ends it.

import { connect } from 'node:net'

export interface ProbeReport {
  attempts: number
  failures: { atMs: number; reason: string }[]
  /** From the start of the first of consecutive failures to the answer that ended them. */
  longestGapMs: number
}

const [hz = 10, port = 22] = process.argv.slice(2).map(Number)
const failures: ProbeReport['failures'] = []
const answers: number[] = []
const pending = new Set<Promise<void>>()
let attempts = 0

// From 9.8 on, sshd shuts out addresses that leave before they log in (PerSourcePenalties, one
// second each): with 4000 of them in turn, none comes back before it is forgiven.
const address = (n: number) => `127.50.${Math.floor(n / 200) % 20}.${(n % 200) + 1}`

function ask(): Promise<void> {
  const started = performance.now()
  attempts += 1
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port: port, localAddress: address(attempts) })
    const finish = (reason?: string) => {
      if (reason === undefined) answers.push(performance.now())
      else failures.push({ atMs: Math.round(started), reason })
      socket.removeAllListeners().on('error', () => {})
      socket.destroy()
      resolve()
    }
    let banner = ''
    socket.setEncoding('utf8').setTimeout(5_000)
    socket.on('data', text => {
      banner += text
      if (banner.includes('\n')) finish(banner.startsWith('SSH-2.0-') ? undefined : banner.trim())
    })
    socket.on('timeout', () => finish('timeout'))
    socket.on('error', error => finish((error as NodeJS.ErrnoException).code ?? error.message))
    socket.on('close', () => finish('closed before the banner'))
  })
}

function tick(): void {
  const question = ask().finally(() => pending.delete(question))
  pending.add(question)
}

await ask()
process.stdout.write('asking\n')
const timer = setInterval(tick, 1000 / hz)
process.stdin.resume().once('end', async () => {
  clearInterval(timer)
  await Promise.all(pending)
  const end = performance.now()
  const gaps = failures.map(({ atMs }) => (answers.find(at => at > atMs) ?? end) - atMs)
  const longestGapMs = Math.round(Math.max(0, ...gaps))
  const report: ProbeReport = { attempts, failures, longestGapMs }
  process.stdout.write(JSON.stringify(report))
})

// Runs in a host's network, see sshd-probe.ts: HZ PORT as arguments; the end of stdin ends it.

import { connect } from 'node:net'

export interface ProbeReport {
  attempts: number
  failures: { atMs: number; reason: string }[]
  /**
   * How many times the port was closed: one or more questions in a row, in the order of asking, had no answer,
   * and some of them were refused. An sshd that is up drops connections too (MaxStartups).
   */
  gaps: number
  /** From the first question of such a row to the answer that ended it. */
  longestGapMs: number
}

const REFUSED = 'ECONNREFUSED'
const [hz = 10, port = 22] = process.argv.slice(2).map(Number)
/** A question: when it was asked, and when it was answered or why not. */
interface Question {
  asked: number
  answered?: number
  reason?: string
}

const questions: Question[] = []
const pending = new Set<Promise<void>>()

// A busy sshd has not noticed yet that some have left, and from ten on it drops some that come (MaxStartups).
// So no more than these are asked at once, and a question has ended when sshd has closed it too.
const AT_ONCE = 5

// From 9.8 on, sshd shuts out addresses that leave before they log in (PerSourcePenalties, one
// second each): with 4000 of them in turn, none comes back before it is forgiven.
const address = (n: number) => `127.50.${Math.floor(n / 200) % 20}.${(n % 200) + 1}`

function ask(): Promise<void> {
  const question: Question = { asked: performance.now() }
  const localAddress = address(questions.push(question))
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port: port, localAddress })
    const hasFailed = (reason: string) => {
      if (question.answered === undefined) question.reason ??= reason
    }
    let banner = ''
    socket.setEncoding('utf8').setTimeout(5_000)
    socket.on('data', text => {
      banner += text
      if (!banner.includes('\n')) return
      if (banner.startsWith('SSH-2.0-')) question.answered ??= performance.now()
      else hasFailed(banner.trim())
      socket.end()
    })
    socket.on('timeout', () => {
      hasFailed('timeout')
      socket.destroy()
    })
    socket.on('error', error => hasFailed((error as NodeJS.ErrnoException).code ?? error.message))
    socket.on('close', () => {
      hasFailed('closed before the banner')
      resolve()
    })
  })
}

function tick(): void {
  if (pending.size >= AT_ONCE) return
  const question = ask().finally(() => pending.delete(question))
  pending.add(question)
}

await ask()
process.stdout.write('asking\n')
const timer = setInterval(tick, 1000 / hz)
process.stdin.resume().once('end', async () => {
  clearInterval(timer)
  await Promise.all(pending)
  process.stdout.write(JSON.stringify(report()))
})

function report(): ProbeReport {
  const failures = questions.flatMap(({ asked, reason }) =>
    reason === undefined ? [] : [{ atMs: Math.round(asked), reason }],
  )
  const begins = questions.filter(
    ({ reason }, at) => reason !== undefined && questions[at - 1]?.reason === undefined,
  )
  const lengths = begins.map(({ asked }) => {
    const ends = questions.find(later => later.asked > asked && later.answered !== undefined)
    return (ends?.answered ?? performance.now()) - asked
  })
  const isClosed = (begin: Question) => {
    const row = questions.slice(questions.indexOf(begin))
    const end = row.findIndex(({ reason }) => reason === undefined)
    return row.slice(0, end === -1 ? row.length : end).some(({ reason }) => reason === REFUSED)
  }
  return {
    attempts: questions.length,
    failures,
    gaps: begins.filter(isClosed).length,
    longestGapMs: Math.round(Math.max(0, ...lengths)),
  }
}

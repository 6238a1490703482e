// Asks port 22 of the host for its banner until it comes, and prints how long that took in ms.
// Its number is the first argument: sshd shuts out addresses that leave without logging in too often.

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 5_000
const number = Number(process.argv[2])
const localAddress = `127.60.${Math.floor(number / 250) % 250}.${(number % 250) + 1}`

function ask(): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port: 22, localAddress })
    const finish = (answered: boolean) => {
      socket.removeAllListeners().on('error', () => {})
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(2_000)
    socket.once('data', data => finish(data.toString().startsWith('SSH-2.0-')))
    for (const end of ['timeout', 'error', 'close']) socket.once(end, () => finish(false))
  })
}

const start = performance.now()
while (!(await ask())) {
  if (performance.now() - start > PATIENCE_MS) throw new Error('sshd does not answer')
  await sleep(5)
}
process.stdout.write(String(Math.round(performance.now() - start)))

import type { Socket } from 'node:net'

export type Line = { kind: 'line'; text: string } | { kind: 'too-long' } | { kind: 'closed' }

/** The first line of a connection, of at most `most` bytes, within `timeoutMs`. */
export function readLine(socket: Socket, most: number, timeoutMs: number): Promise<Line> {
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => done({ kind: 'closed' }), timeoutMs)
    const done = (line: Line) => {
      clearTimeout(timer)
      socket.removeAllListeners('data')
      resolve(line)
    }
    socket.on('data', (chunk: Buffer) => {
      const end = chunk.indexOf('\n')
      chunks.push(end === -1 ? chunk : chunk.subarray(0, end))
      length += end === -1 ? chunk.length : end
      if (length > most) done({ kind: 'too-long' })
      else if (end !== -1) done({ kind: 'line', text: Buffer.concat(chunks).toString() })
    })
    // Half open, and with nothing more to say: it would hold its place until its time is up.
    socket.once('end', () => done({ kind: 'closed' }))
    socket.once('close', () => done({ kind: 'closed' }))
    // A peer that is gone is no trouble of ours; 'close' follows.
    socket.on('error', () => {})
  })
}

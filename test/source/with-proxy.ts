import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'

/**
 * A proxy for one test whose every tunnel leads to `port` on loopback. Answers CONNECT with another
 * `status` than 200 if given: 0 hangs up, -1 never answers.
 */
export async function useProxy(port: number, status = 200) {
  const tunnels: string[] = []
  const headers: object[] = []
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '')
    headers.push(request.headers)
    if (status === 0) socket.destroy()
    else if (status === 200) join(socket)
    else if (status > 0) socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
  })
  const join = (socket: Duplex) => {
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels, headers }
}

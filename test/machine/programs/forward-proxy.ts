// A forward proxy on the host's loopback: node forward-proxy.ts PORT LOG. Every name is its own
// 127.0.0.1, plain requests go to port 8080; each line of the log is a request.

import { appendFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'

const [port = '', log = ''] = process.argv.slice(2)

const proxy = createServer((incoming, response) => {
  appendFileSync(log, `${incoming.method} ${incoming.url}\n`)
  const { pathname: path } = new URL(incoming.url ?? '')
  const { method } = incoming
  request({ host: '127.0.0.1', port: 8080, path, method }, answer => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  }).end()
})
proxy.on('connect', (incoming, client) => {
  appendFileSync(log, `CONNECT ${incoming.url}\n`)
  const upstream = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n')
    upstream.pipe(client).pipe(upstream)
  })
  for (const each of [client, upstream]) each.on('error', () => each.destroy())
  upstream.on('error', () => client.destroy())
})
proxy.listen(Number(port), '127.0.0.1')

// A web server that gives fixed replies: stands in for those that Debian does not have.
// serve-replies.ts PORT REPLIES CERT KEY; REPLIES is read anew for each request.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

/** A reply, and the bearer token without which it is a 403. */
export interface Reply {
  path: string
  token?: string
  status: number
  headers: Record<string, string>
  body: string
}

const [port, replies = '', cert = '', key = ''] = process.argv.slice(2)

createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const all = JSON.parse(readFileSync(replies, 'utf8')) as Reply[]
  const found = all.find(({ path }) => path === request.url)
  if (found === undefined) {
    response.writeHead(404, { 'content-length': 0 }).end()
  } else if (
    found.token !== undefined &&
    request.headers.authorization !== `Bearer ${found.token}`
  ) {
    response.writeHead(403, { 'content-length': 0 }).end()
  } else {
    const length = { 'content-length': Buffer.byteLength(found.body) }
    response.writeHead(found.status, { ...found.headers, ...length }).end(found.body)
  }
}).listen(Number(port))

// A web server of one folder, for hosts that install from it: node serve-folder.ts FOLDER PORT [CERT KEY]
// On loopback, or with a pair over TLS on every address. What is asked for below /stalls-at/NAME/ stops in
// the middle of the file of that name; below /interim/ every reply comes after a 100 and a 103.

import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { basename, join } from 'node:path'

const [folder = '', port = '', cert, key = ''] = process.argv.slice(2)

const serve: RequestListener = (request, response) => {
  const path = join(folder, basename(request.url ?? ''))
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) return void response.writeHead(404).end()
  const [, how, at] = request.url?.split('/') ?? []
  if (how === 'interim') {
    response.writeContinue()
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
  }
  response.writeHead(200, { 'content-length': stat.size })
  const stalls = how === 'stalls-at' && at === basename(path)
  if (stalls) createReadStream(path, { end: stat.size >> 1 }).pipe(response, { end: false })
  else createReadStream(path).pipe(response)
}

if (cert === undefined) createServer(serve).listen(Number(port), '127.0.0.1')
else
  createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve).listen(Number(port))

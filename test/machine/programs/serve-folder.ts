// A web server of one folder, for hosts that install from it: node serve-folder.ts FOLDER PORT

import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'

const [folder = '', port = ''] = process.argv.slice(2)

createServer((request, response) => {
  const path = join(folder, basename(request.url ?? ''))
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-length': stat.size })
  createReadStream(path).pipe(response)
}).listen(Number(port), '127.0.0.1')

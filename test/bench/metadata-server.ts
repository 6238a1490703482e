// Runs in a host's network: a metadata server of Google's kind that has nothing to tell, and answers
// a long poll when its minute is over.

import { createServer } from 'node:http'

const EMPTY = JSON.stringify({ instance: { attributes: {} }, project: { attributes: {} } })

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://metadata')
  const waits = url.searchParams.get('wait_for_change') === 'true'
  const known = url.searchParams.get('last_etag') === 'one'
  const seconds = Number(url.searchParams.get('timeout_sec') ?? 60)
  setTimeout(
    () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        etag: 'one',
        'metadata-flavor': 'Google',
      })
      response.end(EMPTY)
    },
    waits && known ? seconds * 1000 : 0,
  )
}).listen(80, '169.254.169.254')

// Runs in a host's network: sends a webhook for each line of headers (JSON) on its stdin, and prints
// when it was sent, its status and how long the answer took. Numbers are milliseconds.

import { request } from 'node:http'
import { createInterface } from 'node:readline'

export interface Called {
  /** Since the epoch. */
  sentAt: number
  ms: number
  status: number
  body: string
}

function call(headers: Record<string, string>): Promise<Called> {
  return new Promise((resolve, reject) => {
    const sentAt = performance.timeOrigin + performance.now()
    const sent = request(
      {
        host: '127.0.0.1',
        port: 9444,
        path: '/webhook/rotation',
        method: 'POST',
        headers,
        agent: false,
      },
      response => {
        let body = ''
        response.setEncoding('utf8').on('data', text => {
          body += text
        })
        response.on('end', () => {
          const ms = performance.timeOrigin + performance.now() - sentAt
          resolve({ sentAt, ms, status: response.statusCode ?? 0, body })
        })
      },
    )
    sent.on('error', reject)
    sent.end('{}')
  })
}

process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await call(JSON.parse(line)))}\n`)
}

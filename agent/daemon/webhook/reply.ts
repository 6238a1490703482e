import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SignatureHeaders } from '../../http/webhook-attempt.ts'

/** An answer before it is sent. `why` is for our log alone. */
export interface Reply {
  status: number
  /** Sent as JSON; a text is sent as it is. */
  body: object | string
  headers?: Readonly<Record<string, string>>
  /** Gives the headers that sign the text that is sent. */
  sign?: (text: string) => SignatureHeaders
  why?: string
}

/** A refusal: a coarse code for programs, a sentence for people, nothing of the request. */
export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Reply['headers'] = {},
): Reply {
  return { status, body: { code, message }, headers, why: code }
}

/** Of a body that nobody wants, this much and this long is read away; bytes and milliseconds. */
const DRAIN = { bytes: 1024 * 1024, ms: 1000 }

/** Sends an answer; `last` closes the connection after it. */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  last: boolean,
): Promise<void> {
  const isText = typeof reply.body === 'string'
  const text = typeof reply.body === 'string' ? reply.body : `${JSON.stringify(reply.body)}\n`
  const unread = !request.complete
  response.writeHead(reply.status, {
    'content-type': isText ? 'text/plain; version=0.0.4; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(last || unread ? { connection: 'close' } : {}),
    ...reply.headers,
    ...reply.sign?.(text),
  })
  response.write(text)
  // To close on unread bytes is to reset the connection, and the sender may lose the answer with it
  // (RFC 9112 §9.6).
  if (unread) await drain(request)
  response.end()
}

function drain(request: IncomingMessage): Promise<void> {
  return new Promise(resolve => {
    let bytes = 0
    const timer = setTimeout(resolve, DRAIN.ms)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    request.once('end', done).once('close', done)
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > DRAIN.bytes) done()
    })
    request.resume()
  })
}

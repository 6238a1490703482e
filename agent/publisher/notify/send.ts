import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { plainText } from '../../core/basics/plain-text.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import type { Question } from './question.ts'
import { type Proof, type Reply, readReply } from './reply.ts'

export interface SendOptions {
  url: string
  /** All that may hold at the host: it takes any one of them. */
  secrets: readonly string[]
  /** Judges the headers that sign an answer, by the same secrets. */
  verify(
    headers: IncomingHttpHeaders,
    text: string,
  ): { kind: 'genuine' | 'refused'; why?: Unproved }
  /** Never used before: what is signed with it was said after this was sent. */
  id: string
  attempt: number
  now: Date
  /** For the whole of one attempt, in milliseconds; longer than the 10 s within which a host answers. */
  timeoutMs: number
  /** PEM roots, instead of Node's own. */
  roots?: readonly string[]
  signal: AbortSignal
}

type Unproved = Exclude<Proof, 'signed' | 'other-id'>

/** The largest answer, in bytes: an outcome with 16 keys, and those of an adopted file of 64 KiB. */
const MAX_ANSWER_BYTES = 1024 * 1024
/** For a connection, in milliseconds: who is behind a firewall that drops is not waited for longer. */
const CONNECT_MS = 5_000

/**
 * Sends one webhook as Standard Webhooks 1.0.0 has it. Several secrets make several signatures
 * ("Signature scheme"), so that one can be changed under way. The answer is signed likewise, with the
 * id of the request; each attempt is a question of its own and has its own id, so that no answer to an
 * earlier one can be given again. Rejects only by a bug.
 */
export async function send<T>(question: Question<T>, options: SendOptions): Promise<Reply<T>> {
  const { id, attempt, now, secrets } = options
  const data = { attempt }
  const body = JSON.stringify({ type: question.type, timestamp: now.toISOString(), data })
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'pomerium-host-agent bundle',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map(each => new Webhook(each).sign(id, now, body)).join(' '),
  }
  try {
    const { status, headers: answered, text } = await post(options, headers, body)
    if (text === undefined) return TOO_LONG
    const retryAfter = answered['retry-after']
    const proof = proofOf(options, answered, text)
    return readReply({ status, retryAfter, text, proof }, question)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error
    return unreachable(error)
  }
}

function proofOf({ id, verify }: SendOptions, headers: IncomingHttpHeaders, text: string): Proof {
  const { kind, why = 'forged' } = verify(headers, text)
  if (kind === 'refused') return why
  return headers['webhook-id'] === id ? 'signed' : 'other-id'
}

const TOO_LONG: Reply<never> = {
  kind: 'rejected',
  code: 'not-an-agent',
  message: `it answers with more than 1 MiB, as no host agent does`,
}

async function post(options: SendOptions, headers: RequestOptions['headers'], body: string) {
  const url = new URL(options.url)
  const { request } =
    url.protocol === 'https:'
      ? process.getBuiltinModule('node:https')
      : process.getBuiltinModule('node:http')
  const nobody = new AbortController()
  const knock = setTimeout(() => nobody.abort(new DOMException('', 'TimeoutError')), CONNECT_MS)
  const timeout = AbortSignal.timeout(options.timeoutMs)
  const signal = AbortSignal.any([options.signal, timeout, nobody.signal])
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const tls = options.roots === undefined ? {} : { ca: [...options.roots] }
    const settings = { method: 'POST', headers: headers ?? {}, agent: false, signal, ...tls }
    request(url, settings, resolve)
      .once('error', reject)
      // Neither an answer nor an error comes of one that switches protocols (101) unasked.
      .once('close', () => reject(Object.assign(new Error(), { code: 'ECONNRESET' })))
      .once('socket', socket => socket.once('connect', () => clearTimeout(knock)))
      .end(body)
  }).finally(() => clearTimeout(knock))
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk
    if (text.length > MAX_ANSWER_BYTES) return { status: 0, headers: {}, text: undefined }
  }
  const { statusCode: status = 0, headers: answered } = response
  return { status, headers: answered, text }
}

// DOM, 4.3: the names of such errors have a number each.
const isTimeout = (error: unknown) =>
  error instanceof DOMException && error.code === DOMException.TIMEOUT_ERR

function unreachable(error: unknown): Reply<never> {
  const { name = '', code = name } = error as { name?: string; code?: string }
  const cause = (error as { cause?: unknown }).cause
  const timedOut = code === 'ETIMEDOUT' || isTimeout(cause)
  if (timedOut) return { kind: 'unreachable', code: 'timeout', message: 'no answer in time' }
  const known = MESSAGES.get(code)
  if (known !== undefined) return { kind: 'unreachable', code: known[0], message: known[1] }
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)) {
    const message = `its certificate is not trusted (${code}); name the CA by --ca-file`
    return { kind: 'unreachable', code: 'tls', message }
  }
  const message = plainText(messageOf(error))
  return { kind: 'unreachable', code: plainText(code.toLowerCase()), message }
}

const MESSAGES: ReadonlyMap<string, readonly [code: string, message: string]> = new Map([
  ['ECONNREFUSED', ['connection-refused', 'nobody listens there']],
  ['ECONNRESET', ['connection-reset', 'it hung up; is it http against https?']],
  ['EPROTO', ['tls', 'it does not speak TLS there; is it http?']],
  ['EHOSTUNREACH', ['no-route', 'no way to the host']],
  ['ENETUNREACH', ['no-route', 'no way to the host']],
  ['ENOTFOUND', ['unknown-name', 'its name is not known to the DNS']],
  ['EAI_AGAIN', ['dns', 'the DNS does not answer']],
])

import type { IncomingMessage } from 'node:http'
import { matchesTag } from '../../http/entity-tag.ts'
import { holdsToken } from './bearer.ts'
import { parseWait } from './prefer.ts'
import type { Edition, Published } from './published.ts'

/** An answer before it is sent. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: Uint8Array | string
}

export interface AnswerParts {
  published: Published
  /** Read anew for each request: it may be rotated too. */
  token(): string | undefined
  /** Waits for a change, so long at most; at once where too many wait. Says whether it waited. */
  hold(seconds: number): Promise<boolean>
  metrics(): Promise<string>
}

/** Where the bundle is. */
const BUNDLE_PATHS = new Set(['/', '/bundle'])

/** Answers one request. A query is left out of account. */
export async function answer(request: IncomingMessage, parts: AnswerParts): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?')
  const isBundle = BUNDLE_PATHS.has(path)
  if (!isBundle && path !== '/healthz' && path !== '/metrics') return said(404, 'not-found')
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return said(405, 'method-not-allowed', { allow: 'GET, HEAD' })
  }
  if (path === '/healthz') return json(200, { ok: true })
  if (path === '/metrics') return { ...text(await parts.metrics()) }
  return answerBundle(request, parts)
}

/**
 * The bundle, or 304 to whoever has it. With `Prefer: wait=N` (RFC 7240) beside the current tag the
 * answer comes with the change, or as a 304 after N seconds.
 */
async function answerBundle(
  { headers }: IncomingMessage,
  { published, token, hold }: AnswerParts,
): Promise<Answer> {
  const wanted = token()
  if (wanted !== undefined && !holdsToken(headers.authorization, wanted)) {
    return said(401, 'unauthorized', { 'www-authenticate': 'Bearer' })
  }
  const known = headers['if-none-match']
  const wait = parseWait(headers.prefer as string | undefined)
  const applied: Record<string, string> = {}
  if (wait !== undefined && matchesTag(known, published.current().etag) && (await hold(wait))) {
    applied['preference-applied'] = `wait=${wait}`
  }
  const edition = published.current()
  const described = { ...describe(edition, wanted !== undefined), ...applied }
  if (matchesTag(known, edition.etag)) return { status: 304, headers: described, body: '' }
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  return { status: 200, headers: { ...described, ...type }, body: edition.bytes }
}

// A cache may keep it, but must ask each time whether it is still true (RFC 9111 §5.2.2.4): an old
// copy would hold up a rotation. Behind a token it is for nobody else's cache.
function describe({ etag }: Edition, secret: boolean): Record<string, string> {
  return {
    etag,
    'cache-control': secret ? 'private, no-cache' : 'no-cache',
  }
}

function said(status: number, code: string, headers: Record<string, string> = {}): Answer {
  const answered = json(status, { code })
  return { ...answered, headers: { ...answered.headers, ...headers } }
}

function json(status: number, body: object): Answer {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status, headers, body: `${JSON.stringify(body)}\n` }
}

function text(body: string): Answer {
  const type = 'text/plain; version=0.0.4; charset=utf-8'
  return { status: 200, headers: { 'content-type': type, 'cache-control': 'no-store' }, body }
}

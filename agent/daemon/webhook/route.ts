import type { IncomingMessage } from 'node:http'
import { type Reply, refusal } from './reply.ts'

/** What this listener serves. */
export interface Routes {
  /** Absent where there is no secret: nobody could be believed. */
  rotation?: Signed
  status?: Signed
  health(): Promise<{ ok: boolean }>
  metrics(): Promise<string>
}

type Signed = (request: IncomingMessage) => Promise<Reply | undefined>

const SIGNED_PATHS: ReadonlyMap<string, 'rotation' | 'status'> = new Map([
  ['/webhook/rotation', 'rotation'],
  ['/webhook/status', 'status'],
])

/** Finds who answers; a query is left out of account. */
export async function route(request: IncomingMessage, routes: Routes): Promise<Reply | undefined> {
  const [path = ''] = (request.url ?? '').split('?')
  const name = SIGNED_PATHS.get(path)
  const signed = name === undefined ? undefined : routes[name]
  if (signed !== undefined) return request.method === 'POST' ? signed(request) : notAllowed('POST')
  if (path !== '/healthz' && path !== '/metrics') return NOT_FOUND
  if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed('GET, HEAD')
  if (path === '/metrics') return { status: 200, body: await routes.metrics() }
  const health = await routes.health()
  return { status: health.ok ? 200 : 503, body: health }
}

const NOT_FOUND = refusal(404, 'not-found', 'there is nothing here')

// RFC 9110 §15.5.6: a 405 names what is allowed.
function notAllowed(allow: string): Reply {
  return refusal(405, 'method-not-allowed', `only ${allow} is answered here`, { allow })
}

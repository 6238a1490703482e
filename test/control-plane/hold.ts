import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { etagOf } from './respond.ts'

const LOOK_MS = 20

/**
 * Returns when there is something other than the ETag that the request came with, or when as many
 * seconds have passed as it is prepared to wait; RFC 7240 §4.3.
 */
export async function hold(
  request: IncomingMessage,
  response: ServerResponse,
  readBundle: () => Promise<string | Buffer>,
): Promise<void> {
  const [, seconds] = /^wait=(\d+)$/.exec(`${request.headers.prefer ?? ''}`) ?? []
  const etag = request.headers['if-none-match']
  if (seconds === undefined || etag === undefined) return
  response.setHeader('preference-applied', `wait=${seconds}`)
  const end = performance.now() + Number(seconds) * 1000
  while (performance.now() < end && !response.destroyed && etagOf(await readBundle()) === etag) {
    await sleep(LOOK_MS, undefined, { ref: false })
  }
}

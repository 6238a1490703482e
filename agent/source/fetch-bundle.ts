import { isThrown } from '../core/basics/agent-error.ts'
import { parseSourceUrl, showUrl } from '../core/network/source-url.ts'
import type { Fetched, Source } from '../core/protocol/source.ts'
import { withDeadline } from './deadline.ts'
import { readFromFile } from './file-source.ts'
import { timeout, unavailable } from './http/failure.ts'
import { type FetchOptions, TIMEOUTS, type Timeouts } from './http/fetch-options.ts'
import { refuseHtml, startsAsHtml } from './http/html.ts'
import { readJsonBundle } from './json-bundle.ts'

/**
 * Looks at the source once. Whatever the source does is a value; the promise rejects only with the
 * reason of `options.signal`, or by a bug of ours. Starts no process and writes nothing.
 */
export async function fetchBundle(source: Source, options: FetchOptions = {}): Promise<Fetched> {
  options.signal?.throwIfAborted()
  const parsed = parseSourceUrl(source.url)
  if ('problem' in parsed) {
    return unavailable('bad-url', `source.url ${parsed.problem}`, 'Correct it in the config')
  }
  const url = parsed.value
  const timeouts = patient({ ...TIMEOUTS, ...options.timeouts }, options.waitSeconds)
  try {
    const fetched = await withDeadline(timeouts.total, options.signal, async signal => {
      if (url.protocol === 'file:') return readFromFile(url, options.fileDescriptor, signal)
      // A file needs none of what the network does.
      const { fetchOverHttp } = await import('./http/http-source.ts')
      return fetchOverHttp(url, source, options, timeouts, signal)
    })
    return fetched.kind === 'bundle' ? unwrap(fetched, source, showUrl(url)) : fetched
  } catch (error) {
    if (isThrown(error, 'deadline')) return timeout(showUrl(url))
    throw error
  }
}

// What the source was asked to wait is no slowness of it.
function patient(timeouts: Timeouts, waitSeconds = 0): Timeouts {
  const waitMs = waitSeconds * 1000
  return { ...timeouts, headers: timeouts.headers + waitMs, total: timeouts.total + waitMs }
}

function unwrap(
  fetched: Extract<Fetched, { kind: 'bundle' }>,
  source: Source,
  shown: string,
): Fetched {
  // A bundle's form is the root side's to judge; here only what stands where JSON should.
  if (source.jsonPointer === undefined) return fetched
  if (startsAsHtml(fetched.bytes)) return refuseHtml(shown)
  const bytes = readJsonBundle(fetched.bytes, source.jsonPointer, shown)
  return bytes instanceof Uint8Array ? { ...fetched, bytes } : bytes
}

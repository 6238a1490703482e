import type { Dispatcher } from 'undici'
import { MAX_BUNDLE_BYTES } from '../../core/bundle/limits.ts'
import { showUrl } from '../../core/network/source-url.ts'
import type { Fetched } from '../../core/protocol/source.ts'
import { readEtag } from '../../http/entity-tag.ts'
import { parseHttpDate } from '../../http/http-date.ts'
import { readBody } from '../../http/read-body.ts'
import { parseRetryAfter } from '../../http/retry-after.ts'
import { unavailable } from './failure.ts'
import { isHtmlType, refuseHtml } from './html.ts'
import { explainStatus } from './reply-status.ts'
import { refuseTooLarge } from './too-large.ts'

/** What was asked, as far as it decides what an answer means. */
export interface Asked {
  url: URL
  sentToken: boolean
  sentEtag: string | undefined
}

/** Turns a reply into its meaning. Returns without having read the body wherever that is enough. */
export async function readReply(reply: Dispatcher.ResponseData, asked: Asked): Promise<Fetched> {
  const { statusCode, headers, body } = reply
  const shown = showUrl(asked.url)
  const now = new Date()
  const date = parseHttpDate(one(headers.date) ?? '', now)
  const etag = readEtag(one(headers.etag))
  const stamps = { ...(etag && { etag }), ...(date && { date }) }

  if (statusCode === 304 && asked.sentEtag !== undefined) {
    return { kind: 'not-modified', etag: asked.sentEtag, ...stamps }
  }
  if (statusCode !== 200) {
    const failure = explainStatus(statusCode, asked.url, asked.sentToken, one(headers.location))
    // A date in Retry-After is by the source's clock, which `Date` tells.
    const retryAfterSeconds =
      failure.code === 'server-error'
        ? parseRetryAfter(one(headers['retry-after']), date ?? now)
        : undefined
    return { ...failure, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
  }
  if (isHtmlType(one(headers['content-type']))) return refuseHtml(shown)

  const encoding = all(headers['content-encoding'])
  if (encoding !== '' && encoding !== 'identity') {
    return unavailable(
      'unexpected-reply',
      `${shown} answered with a compressed body though none was asked for`,
      'Turn compression off for this path',
    )
  }
  // A body that ends when the connection does may have been cut anywhere, and half a bundle can be a
  // valid one with a key less. RFC 9112 §6.3, §8.
  const length = one(headers['content-length'])
  if (length === undefined && !/(?:^|,\s*)chunked$/.test(all(headers['transfer-encoding']))) {
    return unavailable(
      'unexpected-reply',
      `${shown} answered without saying where the body ends`,
      'Let the source send Content-Length',
    )
  }
  if (Number(length ?? 0) > MAX_BUNDLE_BYTES) return refuseTooLarge(shown)
  const bytes = await readBody(body, MAX_BUNDLE_BYTES)
  return bytes ? { kind: 'bundle', bytes, ...stamps } : refuseTooLarge(shown)
}

type Header = string | string[] | undefined

/** A header that may stand once; one that is repeated is nobody's word. */
const one = (value: Header) => (typeof value === 'string' ? value : undefined)

const all = (value: Header) => [value ?? []].flat().join(', ').trim().toLowerCase()

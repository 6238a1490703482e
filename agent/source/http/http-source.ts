import { isThrown } from '../../core/basics/agent-error.ts'
import { showUrl } from '../../core/network/source-url.ts'
import type { Fetched, Source } from '../../core/protocol/source.ts'
import { readEtag } from '../../http/entity-tag.ts'
import { readTlsRoots } from '../../http/tls-roots.ts'
import { explainConnectionFailure } from './connection-failure.ts'
import { openDispatcher } from './dispatcher.ts'
import { unavailable } from './failure.ts'
import type { FetchOptions, Timeouts } from './fetch-options.ts'
import { readReply } from './http-reply.ts'
import { findProxy } from './proxy.ts'

/** Asks once over HTTP. Rejects with the signal's reason, else only by a bug. */
export async function fetchOverHttp(
  url: URL,
  source: Source,
  options: FetchOptions,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<Fetched> {
  // A token with a line break would be a second header. RFC 6750 §2.1.
  if (source.token !== undefined && !/^[\x21-\x7e]+$/.test(source.token)) {
    return unavailable(
      'unauthorized',
      'The token of the source is empty or holds characters that no bearer token can hold',
      'Write the token alone into source.token_file',
    )
  }
  try {
    return await ask(url, source, options, timeouts, signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const failure = explainSetup(error) ?? explainConnectionFailure(error, showUrl(url))
    if (failure) return failure
    throw error
  }
}

async function ask(
  url: URL,
  source: Source,
  options: FetchOptions,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<Fetched> {
  const environment = options.environment ?? {}
  const proxy = findProxy(url, environment)
  const roots =
    url.protocol === 'https:' ? await readTlsRoots(source.extraRoots, environment) : undefined
  const [{ default: request }, dispatcher] = await Promise.all([
    import('undici/lib/api/api-request.js'),
    openDispatcher(url, timeouts, roots, proxy),
  ])
  const sentEtag = readEtag(options.etag)
  try {
    const reply = await request.call(dispatcher, {
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      // One question, one connection.
      reset: true,
      headers: {
        accept: 'text/plain, application/json;q=0.9',
        'accept-encoding': 'identity',
        'user-agent': ['pomerium-host-agent', options.version].filter(Boolean).join('/'),
        ...(sentEtag !== undefined && { 'if-none-match': sentEtag }),
        // Without a tag the source can't tell what there is to wait for.
        ...(sentEtag !== undefined &&
          options.waitSeconds !== undefined && { prefer: `wait=${options.waitSeconds}` }),
        // Redirects are not followed, so this reaches the configured origin and no other; a proxy
        // sees only the tunnel.
        ...(source.token !== undefined && { authorization: `Bearer ${source.token}` }),
      },
      signal,
    })
    reply.body.on('error', ignore)
    return await readReply(reply, { url, sentToken: source.token !== undefined, sentEtag })
  } finally {
    // Not close(): that would wait for a body which nobody reads any more.
    await dispatcher.destroy()
  }
}

/** Whoever reads the body gets its error from the iterator; an unread one is being thrown away. */
const ignore = () => {}

function explainSetup(error: unknown) {
  if (isThrown(error, 'bad-roots')) {
    return unavailable(
      'tls',
      'source.ca_file holds no certificate, or one that cannot be read',
      'Write the PEM certificates of the CA into it',
    )
  }
  if (isThrown(error, 'bad-proxy')) {
    return unavailable(
      'unreachable',
      'HTTPS_PROXY is set to something that is not the URL of a proxy',
      'Write it as http://host:port, or unset it',
    )
  }
  return undefined
}

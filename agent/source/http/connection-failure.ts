import { HTTPParserError } from 'undici/lib/core/errors.js'
import { timeout, type Unavailable, unavailable } from './failure.ts'

const UNTRUSTED = new Set([
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|UNABLE_TO_|ERROR_IN_CERT_|INVALID_PURPOSE|PATH_LENGTH|EPROTO$|UND_ERR_PRX_TLS)/

const TIMEOUT = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

const UNREACHABLE: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this host does not let us connect'],
  ['EADDRNOTAVAIL', 'this host has no address to connect from'],
  ['EAI_AGAIN', 'no name server answered'],
  ['EAI_FAIL', 'the name server failed'],
  ['EAI_NODATA', 'the name has no address'],
  ['ECONNABORTED', 'connection aborted'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['EHOSTDOWN', 'the host is down'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETDOWN', 'the network is down'],
  ['ENETUNREACH', 'the network is unreachable'],
  ['ENOTFOUND', 'the name does not resolve'],
  ['EPERM', 'this host does not let us connect'],
  ['EPIPE', 'the connection was closed'],
  ['UND_ERR_ABORTED', 'the proxy refused the tunnel'],
  ['UND_ERR_PRX_CONN', 'the proxy closed the connection'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'the reply was cut off'],
  ['UND_ERR_SOCKET', 'the connection was closed before the reply was whole'],
])

/** The code of the error that a reply of 101 ends in: nobody here asked for another protocol. */
export const SWITCHED = 'SWITCHED_PROTOCOL'

/**
 * Names a failed connection. Only the error's code is used: its message may quote the URL, a header or
 * the reply. Undefined for what is no failure of the connection, which is a bug of ours.
 */
export function explainConnectionFailure(error: unknown, shown: string): Unavailable | undefined {
  const code = codeOf(error)
  if (code === undefined) return undefined
  if (code === 'CUT_OFF') return unreachable(shown, 'the reply was cut off')
  if (code === SWITCHED) {
    return unavailable(
      'unexpected-status',
      `${shown} answered 101, not 200`,
      'Check that source.url serves the bundle itself',
    )
  }
  if (TIMEOUT.has(code)) return timeout(shown)
  if (UNTRUSTED.has(code)) {
    return unavailable(
      'tls',
      `The TLS certificate of ${shown} leads to no root that this host trusts (${code})`,
      'Set source.ca_file to the certificate of its CA, and check that it sends its intermediates',
    )
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return unavailable(
      'tls',
      `The TLS certificate of ${shown} is for another host name`,
      'Set source.url to a name in the certificate',
    )
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const state = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'
    return unavailable(
      'tls',
      `The TLS certificate of ${shown} ${state}`,
      "Renew it, and check this host's clock",
    )
  }
  if (TLS.test(code)) {
    return unavailable(
      'tls',
      `TLS with ${shown} failed (${code})`,
      'Check that the port speaks TLS 1.2 or newer and asks for no client certificate',
    )
  }
  if (code === 'NOT_HTTP' || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return unavailable(
      'unexpected-reply',
      `What answers at ${shown} does not speak HTTP as it should`,
      'Check the host and port of source.url',
    )
  }
  const words = UNREACHABLE.get(code)
  return words === undefined ? undefined : unreachable(shown, `${words} (${code})`)
}

function unreachable(shown: string, words: string): Unavailable {
  return unavailable(
    'unreachable',
    `${shown} cannot be reached: ${words}`,
    'Check source.url, the name servers, firewalls and proxies between, and that the source is up',
  )
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  // undici means to give these a code, but looks it up by number in a table of names. Where nothing is left
  // that could not be read (`data`), it is the end that came too soon.
  if (error instanceof HTTPParserError) return error.data === '' ? 'CUT_OFF' : 'NOT_HTTP'
  // One error per address that was tried; they mostly agree, and the first is the preferred address.
  const nested = error instanceof AggregateError ? codeOf(error.errors[0]) : undefined
  const own = 'code' in error ? error.code : undefined
  return typeof own === 'string' && /^[A-Z0-9_]{1,64}$/.test(own) ? own : nested
}

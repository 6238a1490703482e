import type { LookupFunction } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Dispatcher } from 'undici'
import type { Timeouts } from './fetch-options.ts'
import type { HostProxy } from './proxy.ts'

// Node's default gives each address 250 ms before it tries the next and forgets the last; a source on
// the other side of the world takes longer for a handshake.
const ADDRESS_ATTEMPT_MS = 2500

/** One connection's worth of undici, with nothing kept for the next fetch but the parsed roots. */
export async function openDispatcher(
  url: URL,
  timeouts: Timeouts,
  roots: string[] | undefined,
  proxy: HostProxy | undefined,
): Promise<Dispatcher> {
  const tls = roots ? { secureContext: contextOf(roots) } : {}
  const connect = {
    ...tls,
    timeout: timeouts.connect,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: Math.min(ADDRESS_ATTEMPT_MS, timeouts.connect),
    ...(url.hostname === 'localhost' ? { lookup: lookUpLocalhost } : {}),
  }
  const { openClient } = await import('./interim-replies.ts')
  const options = {
    connect,
    connections: 1,
    factory: openClient,
    // HTTP/2 buys one small GET nothing, and costs its module.
    allowH2: false,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.body,
  }
  if (!proxy) {
    const { default: Agent } = await import('undici/lib/dispatcher/agent.js')
    return new Agent(options)
  }
  const [{ default: EnvHttpProxyAgent }, { default: base }, { default: tunnel }] =
    await Promise.all([
      import('undici/lib/dispatcher/env-http-proxy-agent.js'),
      import('undici/lib/dispatcher/dispatcher.js'),
      import('undici/lib/api/api-connect.js'),
    ])
  // The tunnel is opened through a method that only undici's front door hangs on its dispatchers.
  base.prototype.connect = tunnel
  // Every variable is given: what is left out, undici looks up in process.env.
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: '',
    httpsProxy: proxy.url,
    noProxy: proxy.except,
    requestTls: { ...tls, timeout: timeouts.connect },
    proxyTls: tls,
  })
}

/** `localhost` is loopback whatever a resolver says; RFC 6761 §6.3. Plain http rests on it. */
const lookUpLocalhost: LookupFunction = (_name, { all, family }, callback) => {
  const addresses = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ].filter(entry => !family || `${family}`.endsWith(`${entry.family}`))
  if (all) callback(null, addresses)
  else callback(null, addresses[0]?.address ?? '127.0.0.1', addresses[0]?.family)
}

let kept: { roots: string[]; context: SecureContext } | undefined

// A host's roots are 140 or so: to parse them takes 10 ms, and 2 MB that no garbage collector sees. A
// daemon that is kept busy by webhooks grew to 200 MB by one context for each fetch.
function contextOf(roots: string[]): SecureContext {
  const same =
    kept?.roots.length === roots.length && kept.roots.every((root, at) => root === roots[at])
  if (kept === undefined || !same) kept = { roots, context: createSecureContext({ ca: roots }) }
  return kept.context
}

import { AgentError } from '../../core/basics/agent-error.ts'
import { namedProxy } from '../../core/network/named-proxy.ts'
import { isLoopback } from '../../core/network/source-url.ts'
import type { Environment } from './fetch-options.ts'

/** A proxy of the host's environment. Its URL may hold a password: never show it. */
export interface HostProxy {
  url: string
  /** Hosts to reach directly, in the syntax of `NO_PROXY`. */
  except: string
}

/** The proxy that the environment names. Loopback is never asked of another host. Throws `bad-proxy`. */
export function findProxy(url: URL, environment: Environment): HostProxy | undefined {
  if (url.protocol !== 'https:' || isLoopback(url)) return undefined
  const wanted = namedProxy(environment)
  if (wanted === undefined) return undefined
  const { named, except } = wanted
  const proxy = URL.parse(named.includes('://') ? named : `http://${named}`)
  if (!proxy || !['http:', 'https:'].includes(proxy.protocol)) {
    throw new AgentError('bad-proxy')
  }
  return { url: proxy.href, except }
}

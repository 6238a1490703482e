import { namedProxy } from '../network/named-proxy.ts'

/** What the services have of the environment: systemd.exec(5) (`EnvironmentFile=`) and sh(1) both read it. */
export const SERVICE_ENVIRONMENT_FILE = '/etc/default/pomerium-host-agent'

const HEAD = `# The environment of Pomerium's host agent, one NAME=value a line. Made by
# \`pomerium-host-agent configure\` from that of its caller; whatever else stands here stays.
`

/** `none`: there is nothing to hand on. `refused`: there is, and `why` says why the services don't get it. */
export type ServiceEnvironment =
  | { kind: 'none' }
  | { kind: 'file'; content: string }
  | { kind: 'refused'; why: string }

/**
 * The proxy of whoever sets the services up, for the services: what works now must work at the next
 * rotation. `held` is the text of the file as it stands.
 */
export function serviceEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  held: string | undefined,
): ServiceEnvironment {
  const proxy = namedProxy(environment)
  // A file that is not ours is the operator's own word.
  if (proxy === undefined || (held !== undefined && !held.startsWith(HEAD))) return { kind: 'none' }
  const { named } = proxy
  const except = proxy.except.replaceAll(/\s/g, '')
  // The environment of a process is no place for a secret.
  if (named.includes('@')) return { kind: 'refused', why: 'it holds a password' }
  if (!isPlain(named) || !isPlain(except)) {
    return { kind: 'refused', why: 'it holds characters that a shell would take for its own' }
  }
  const others = (held ?? '').slice(HEAD.length).replaceAll(/^(https|no)_proxy=.*\n?/gm, '')
  const lines = [`https_proxy=${named}`, ...(except === '' ? [] : [`no_proxy=${except}`])]
  return { kind: 'file', content: `${HEAD}${lines.join('\n')}\n${others}` }
}

const isPlain = (value: string) => /^[\w.~:/,*[\]-]*$/.test(value)

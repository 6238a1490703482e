/** A host to be told. */
export interface Target {
  /** As the operator wrote it; what tables and `--leave-behind` call it. */
  name: string
  /** Where its webhook is. */
  url: string
  /** Its own secret, where the fleet has several. */
  secretFile?: string
}

export type ParsedTargets =
  | { kind: 'targets'; targets: Target[] }
  | { kind: 'problems'; problems: string[] }

/** `webhook.listen`'s usual port, and the path that takes rotations. */
const PORT = 9444
const PATH = '/webhook/rotation'

/**
 * Reads hosts, one a line: `host`, `host:port`, `[v6]:port` or a URL, with `secret-file=PATH` behind it
 * where its secret is another; `#` begins a comment. A URL with a path is taken as it is. All problems
 * are told at once, by `where` and line.
 */
export function parseTargets(text: string, where: string): ParsedTargets {
  const problems: string[] = []
  const targets = new Map<string, Target>()
  for (const [index, raw] of text.split('\n').entries()) {
    const [name, ...options] = raw
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    if (name === undefined || name === '') continue
    const report = (problem: string) => problems.push(`${where}:${index + 1}: ${problem}`)
    const url = urlOf(name)
    if (url === undefined) {
      report('no host: write host, host:port or https://host:port, one a line')
      continue
    }
    const target: Target = { name, url: url.href }
    for (const option of options) {
      const [, path] = /^secret-file=(.+)$/.exec(option) ?? []
      if (path === undefined) report(`"${option}" is no option; there is secret-file=PATH`)
      else target.secretFile = path
    }
    const twin = [...targets.values()].find(each => each.url === target.url)
    if (twin !== undefined) report(`the same host as "${twin.name}"`)
    else targets.set(name, target)
  }
  if (problems.length === 0 && targets.size === 0) problems.push(`${where}: no host in it`)
  if (problems.length > 0) return { kind: 'problems', problems }
  return { kind: 'targets', targets: [...targets.values()] }
}

// A name or IPv4 address, an IPv6 address in brackets, each with or without port; or a bare IPv6 one.
const HOST = /^([\w.-]+(?<port>:\d+)?|\[[\da-f:.]+\](?<port6>:\d+)?|(?<bare>[\da-f:.]+))$/i

function urlOf(name: string): URL | undefined {
  const [, scheme = 'http', authority = '', path = '/'] =
    /^(?:(https?):\/\/)?([^/?#]+)(\/[^?#]*)?$/i.exec(name) ?? []
  const groups = HOST.exec(authority)?.groups
  if (groups === undefined) return undefined
  const { port, port6, bare } = groups
  const host = bare === undefined ? authority : `[${authority}]`
  if (path !== '/') return URL.parse(`${scheme}://${host}${path}`) ?? undefined
  const usual = port === undefined && port6 === undefined ? `:${PORT}` : ''
  return URL.parse(`${scheme}://${host}${usual}${PATH}`) ?? undefined
}

/**
 * Where a host tells how it is: beside the path that takes rotations. `undefined` where a URL was given that
 * ends in no such path, of which nobody knows what lies beside it.
 */
export function statusUrl(url: string): string | undefined {
  return url.endsWith('/rotation') ? new URL('status', url).href : undefined
}

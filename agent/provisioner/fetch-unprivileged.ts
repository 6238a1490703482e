import { spawn } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Config } from '../core/config/config.ts'
import { decodeFetched, encodeFetchRequest } from '../core/fetch-protocol.ts'
import type { Fetched, Source } from '../core/source.ts'
import { AGENT_USER, findUser } from './system-user.ts'

/** How to start this program again as the child that fetches. */
export interface FetchChild {
  argv: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
}

/**
 * Fetches the bundle in a child without root: the system user of the agent, else `nobody`. Root
 * opens what only root can read (token, extra roots, a `file:` source) and hands it over; the child
 * hands back bytes, which count for nothing until they are parsed and judged here.
 */
export async function fetchUnprivileged(
  config: Config['source'] & { url: URL },
  at: (path: string) => string,
  child: FetchChild,
): Promise<Fetched> {
  const source = readSource(config, at)
  if ('kind' in source) return source
  const fd = config.url.protocol === 'file:' ? openSourceFile(config.url) : undefined
  try {
    return await runChild(encodeFetchRequest({ source, descriptor: fd !== undefined }), fd, child)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

async function runChild(request: string, fd: number | undefined, child: FetchChild) {
  const [program = '', ...args] = child.argv
  const identity = process.getuid?.() === 0 ? await unprivilegedUser() : {}
  // execa hands on no descriptor but 0 to 2.
  const fetcher = spawn(program, args, {
    ...identity,
    cwd: '/',
    env: networkEnvironment(child.environment),
    stdio: ['pipe', 'pipe', 'inherit', ...(fd === undefined ? [] : [fd])],
  })
  const { stdin, stdout } = fetcher
  if (stdin === null || stdout === null) throw new Error('the fetch child has no pipes')
  const failed = new Promise<never>((_, reject) => fetcher.once('error', reject))
  const ended = new Promise<number | null>(resolve => fetcher.once('exit', resolve))
  stdin.on('error', () => {}) // A child that died early: its exit code tells.
  stdin.end(request)
  const [answer, code] = await Promise.race([Promise.all([text(stdout), ended]), failed])
  if (code !== 0) {
    throw new Error(`the fetch child ended with ${code}; can every user read this program's files?`)
  }
  return decodeFetched(answer)
}

// The proxy is the host's to name; nothing else of root's environment goes along.
function networkEnvironment(environment: FetchChild['environment']) {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
  return Object.fromEntries(
    [...names, ...names.map(name => name.toLowerCase()), 'SSL_CERT_FILE', 'PATH'].flatMap(name =>
      environment[name] === undefined ? [] : [[name, environment[name]]],
    ),
  )
}

async function unprivilegedUser(): Promise<{ uid: number; gid: number }> {
  for (const name of [AGENT_USER, 'nobody']) {
    // spawn() drops the supplementary groups too when it is root that sets a uid.
    const user = await findUser(name)
    if (user !== undefined) return user
  }
  throw new Error(`neither ${AGENT_USER} nor nobody is a user here; the fetch never runs as root`)
}

function readSource(
  config: Config['source'] & { url: URL },
  at: (path: string) => string,
): Source | Extract<Fetched, { kind: 'unavailable' }> {
  const source: Source = { url: config.url.href }
  if (config.jsonPointer !== undefined) source.jsonPointer = config.jsonPointer
  for (const [setting, file, key] of [
    ['source.token_file', config.tokenFile, 'token'],
    ['source.ca_file', config.caFile, 'extraRoots'],
  ] as const) {
    if (file === undefined) continue
    try {
      source[key] = readFileSync(at(file), 'utf8').trim()
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? error.code : error
      const message = `${setting} ${file} can't be read (${reason}); put the file there`
      return { kind: 'unavailable', code: 'unreadable-file', message }
    }
  }
  return source
}

// Where this fails the child tries, fails too, and says why in words.
function openSourceFile(url: URL): number | undefined {
  try {
    return openSync(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

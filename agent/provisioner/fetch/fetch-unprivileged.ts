import { closeSync, constants, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Config } from '../../core/config/config.ts'
import {
  decodeFetched,
  encodeFetchRequest,
  type FetchAnswer,
  MAX_ANSWER_BYTES,
} from '../../core/protocol/fetch-protocol.ts'
import { type Source, sourceOf } from '../../core/protocol/source.ts'
import { readNamedFile } from '../files/named-file.ts'
import { SYSTEM_PATH } from '../processes/run-command.ts'
import { AGENT_USER, findUser } from '../processes/system-user.ts'
import { runConfined } from './confined-child.ts'
import { findConfinement } from './confinement.ts'

/** How to start this program again as the child that fetches. */
export interface FetchChild {
  argv: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  /** Called with each line of its standard error, which is cleaned of what moves a cursor. */
  onStderr(line: string): void
}

/** The fetch itself gives up after half a minute. */
const TIMEOUT_MS = 60_000

/**
 * Fetches the bundle in a child without root: the system user of the agent, else `nobody`. Root
 * opens what only root can read (token, extra roots, a `file:` source) and hands it over; the child
 * hands back bytes, which count for nothing until they are parsed and judged here.
 */
export async function fetchUnprivileged(
  config: Config['source'] & { url: URL },
  host: { readonly at: (path: string) => string; readonly isRoot: boolean },
  child: FetchChild,
): Promise<FetchAnswer> {
  const source = readSource(config, host.at)
  if ('kind' in source) return source
  const fd = config.url.protocol === 'file:' ? openSourceFile(config.url) : undefined
  try {
    return await runChild(
      encodeFetchRequest({ source, descriptor: fd !== undefined }),
      fd,
      host,
      child,
    )
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

async function runChild(
  request: string,
  descriptor: number | undefined,
  { isRoot }: { readonly isRoot: boolean },
  child: FetchChild,
): Promise<FetchAnswer> {
  const user = isRoot ? await unprivilegedUser() : undefined
  if (isRoot && user === undefined) {
    return failed(`neither ${AGENT_USER} nor nobody is a user here, and root never fetches`)
  }
  const ended = await runConfined(child.argv, {
    confinement: await findConfinement(user),
    environment: networkEnvironment(child.environment),
    input: request,
    descriptor,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    timeoutMs: TIMEOUT_MS,
  })
  for (const line of ended.stderr) child.onStderr(line)
  if ('problem' in ended) {
    return failed(`the child that fetches ${ended.problem}; can every user read this program?`)
  }
  return decodeFetched(ended.answer) ?? failed('the child that fetches gave no answer of its kind')
}

function failed(message: string): FetchAnswer {
  return { kind: 'unavailable', code: 'fetch-failed', message }
}

// The proxy is the host's to name; nothing else of root's environment goes along.
function networkEnvironment(environment: FetchChild['environment']): Record<string, string> {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
  const handed = [...names, ...names.map(name => name.toLowerCase()), 'SSL_CERT_FILE']
  return Object.fromEntries([
    ['PATH', SYSTEM_PATH],
    ...handed.flatMap(name => {
      const value = environment[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  ])
}

async function unprivilegedUser() {
  return (await findUser(AGENT_USER)) ?? findUser('nobody')
}

function readSource(
  config: Config['source'] & { url: URL },
  at: (path: string) => string,
): Source | Extract<FetchAnswer, { kind: 'unavailable' }> {
  let problem: string | undefined
  const source = sourceOf(config, (setting, file) => {
    const read = readNamedFile(at(file))
    if (read.kind === 'file') return read.content.toString().trim()
    problem ??= `${setting} ${file} ${read.problem}; put the file there`
    return undefined
  })
  return problem === undefined
    ? source
    : { kind: 'unavailable', code: 'unreadable-file', message: problem }
}

// Where this fails the child tries, fails too, and says why in words.
function openSourceFile(url: URL): number | undefined {
  try {
    return openSync(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { atLine } from '../../core/basics/format-place.ts'
import { optional } from '../../core/basics/when-defined.ts'
import { SettingFileError } from '../../core/config/setting-file-error.ts'
import { duration } from '../../core/config/setting-types.ts'
import { parseWebhookSecrets } from '../../core/config/webhook-secrets.ts'
import { BadRootsError } from '../../core/network/pem-roots.ts'
import type { Wanted } from '../../publisher/notify/judge.ts'
import { type HostReport, notify } from '../../publisher/notify/notify.ts'
import { type Question, ROTATION } from '../../publisher/notify/question.ts'
import { parseTargets, type Target } from '../../publisher/notify/targets.ts'
import { type Answered, askFleet } from '../../publisher/status/ask-fleet.ts'
import { STATUS } from '../../publisher/status/host-status.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { readNamed, readStandardInput } from './read-bundle.ts'

/** How hosts are reached, for `parseFlags`. */
export const FLEET_FLAGS = {
  hosts: { type: 'string' },
  'secret-file': { type: 'string' },
  'ca-file': { type: 'string' },
  concurrency: { type: 'string' },
  timeout: { type: 'string' },
} as const

export type FleetFlags = { [name in keyof typeof FLEET_FLAGS]?: string | undefined }

/** The hosts, and how to reach them. */
export interface Fleet {
  targets: readonly Target[]
  /** Tells those named and asks until they have come to it, said no, or time is up. */
  tell(
    names: ReadonlySet<string>,
    wanted: Wanted | undefined,
    onReport: (report: HostReport) => void,
  ): Promise<HostReport[]>
  /** Asks all of them how they are, once, and begins nothing there. */
  ask(onAnswer: (answered: Answered) => void): Promise<Answered[]>
}

/** For one webhook with its answer, in milliseconds: a host answers within 10 s, if only with 202. */
const ATTEMPT_MS = 15_000

/** Reads the secrets and roots; everything that is wrong with them is a UsageError. */
export async function openFleet(
  flags: FleetFlags,
  targets: readonly Target[],
  { environment }: Invocation,
  signal: AbortSignal,
): Promise<Fleet> {
  const secretFiles = new Set(targets.map(({ secretFile = flags['secret-file'] }) => secretFile))
  if (secretFiles.has(undefined)) {
    throw new UsageError('--secret-file FILE is needed: what the hosts have as webhook.secret_file')
  }
  const files = [...secretFiles].filter(file => file !== undefined)
  const { createVerifier } = await import('../../http/webhook-signature.ts')
  const keys = new Map(
    files.map(file => {
      const secrets = readSecrets(file)
      return [file, { secrets, verify: createVerifier(secrets) }]
    }),
  )
  const roots = await readRoots(targets, flags['ca-file'], environment)
  const concurrency = readCount('--concurrency', flags.concurrency ?? '32')
  const timeoutMs = readTimeout(flags.timeout ?? '2m')
  const { send } = await import('../../publisher/notify/send.ts')
  const sendQuestion = <T>(question: Question<T>, target: Target, url: string, attempt: number) => {
    const key = keys.get(target.secretFile ?? flags['secret-file'] ?? '')
    if (key === undefined) throw new Error(`the secret of ${target.name} was not read`)
    const id = `msg_${randomUUID()}`
    const each = { url, id, attempt, signal, timeoutMs: ATTEMPT_MS, now: new Date() }
    return send(question, { ...each, ...key, ...optional('roots', roots) })
  }
  return {
    targets,
    ask(onAnswer) {
      const ask = (target: Target, url: string) => sendQuestion(STATUS, target, url, 1)
      return askFleet({ targets, concurrency, ask, onAnswer })
    },
    tell(names, wanted, onReport) {
      return notify({
        targets: targets.filter(({ name }) => names.has(name)),
        ...optional('wanted', wanted),
        concurrency,
        timeoutMs,
        send: (target, attempt) => sendQuestion(ROTATION, target, target.url, attempt),
        onReport,
        now: () => performance.now(),
        random: Math.random,
        sleep: ms => sleep(ms, undefined, { signal }).catch(() => {}),
        signal,
      })
    },
  }
}

/** Reads the hosts that are named, listed in a file, or come by standard input. */
export async function readTargets(
  file: string | undefined,
  named: readonly string[],
): Promise<Target[]> {
  const isPiped = file === '-' || (file === undefined && named.length === 0 && !process.stdin.isTTY)
  const listed = isPiped
    ? (await readStandardInput()).toString()
    : file === undefined
      ? ''
      : readNamed(file).toString()
  const text = [...named, listed].join('\n')
  const where = named.length > 0 ? 'hosts' : isPiped ? 'standard input' : (file ?? 'hosts')
  const parsed = parseTargets(text, where)
  if (parsed.kind === 'problems') throw new UsageError(parsed.problems.join('\n'))
  return parsed.targets
}

function readSecrets(file: string): string[] {
  try {
    return parseWebhookSecrets(readNamed(file).toString())
  } catch (error) {
    if (!(error instanceof SettingFileError)) throw error
    throw new UsageError(`${atLine(file, error.line)}: ${error.problem}`, { cause: error })
  }
}

async function readRoots(
  targets: readonly Target[],
  caFile: string | undefined,
  environment: Invocation['environment'],
) {
  if (!targets.some(({ url }) => url.startsWith('https:'))) return undefined
  const { readTlsRoots } = await import('../../http/tls-roots.ts')
  const extra = caFile === undefined ? undefined : readNamed(caFile).toString()
  return readTlsRoots(extra, environment).catch(error => {
    if (error instanceof BadRootsError)
      throw new UsageError(`${caFile} holds no certificate in PEM`)
    throw error
  })
}

function readCount(flag: string, text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (count < 1) throw new UsageError(`${flag} must be a number from 1 to 9999`)
  return count
}

function readTimeout(text: string): number {
  const read = duration(text)
  if ('problem' in read) throw new UsageError(`--timeout ${read.problem}`)
  return read.value * 1000
}

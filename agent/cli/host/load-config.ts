import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { isThrown } from '../../core/basics/agent-error.ts'
import { messageAt } from '../../core/basics/format-place.ts'
import { othersDecide, whyUnsafe } from '../../core/basics/root-only-path.ts'
import { type Config, type ConfigError, DEFAULT_CONFIG_FILE } from '../../core/config/config.ts'
import { defaultConfig, parseConfig } from '../../core/config/parse-config.ts'
import type { HostFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/**
 * Reads the config file and the environment; every error at once, each with its place.
 * `ifReadable`: the defaults will do where this user may not read the file.
 */
export function loadConfig(
  flags: HostFlags,
  { environment, isRoot }: Invocation,
  { ifReadable = false } = {},
): Config {
  const name = configName(flags)
  const mustExist = flags.config !== undefined
  // In a tree under --root nothing acts by the file, and it may be anybody's.
  const guarded = isRoot && flags.root === '/'
  const text = readConfigFile(name, { mustExist, ifReadable, guarded })
  const parsed = parseConfig(text === undefined ? undefined : { name, text }, environment)
  if ('config' in parsed) return parsed.config
  throw configErrors(parsed.errors)
}

/** A config, or the defaults in its place. */
export interface ToLeave {
  config: Config
  /** Whether the config is there, and good. */
  isThere: boolean
  problem?: string
}

/**
 * The config for what takes us off the host, which a typo must not prevent: where it is not good, the
 * defaults, and why. What was done by it is on record.
 */
export function loadConfigToLeave(flags: HostFlags, invocation: Invocation): ToLeave {
  try {
    const config = loadConfig(flags, invocation)
    return { config, isThere: existsSync(configName(flags)) }
  } catch (error) {
    if (!isThrown(error, 'usage')) throw error
    return { config: defaultConfig(), isThere: false, problem: error.message }
  }
}

const configName = (flags: HostFlags) => flags.config ?? join(flags.root, DEFAULT_CONFIG_FILE)

/** All that is wrong with the config, a line each. */
export function configErrors(errors: readonly ConfigError[]): UsageError {
  const lines = errors.map(error => messageAt(error.where, error))
  return new UsageError(lines.join('\n'))
}

/** The config with the URL that `apply` and `plan` can't do without. */
export function withSourceUrl(config: Config, flags: HostFlags) {
  const { url } = config.source
  if (url !== undefined) return { ...config.source, url }
  throw new UsageError(
    `no source.url: say in ${flags.config ?? DEFAULT_CONFIG_FILE} where the CA keys are published:\n\n` +
      '  source:\n    url: https://ssh-ca.example.com/bundle\n\n' +
      'or set POMERIUM_HOST_AGENT_SOURCE_URL',
  )
}

/** More than all settings and their comments can fill. */
const MOST_BYTES = 256 * 1024

function readConfigFile(
  name: string,
  { mustExist, ifReadable, guarded }: { mustExist: boolean; ifReadable: boolean; guarded: boolean },
): string | undefined {
  let fd: number
  try {
    // A pipe is not waited for.
    fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' && !mustExist) return undefined
    if (code === undefined) throw error
    if (code === 'EACCES' && ifReadable) return undefined
    if (code === 'ENOENT') throw new UsageError(`${name}: no such file`, { cause: error })
    const next = code === 'EACCES' ? '; run this with sudo' : ''
    throw new UsageError(`${name} can't be read (${code})${next}`, { cause: error })
  }
  try {
    const file = fstatSync(fd)
    if (!file.isFile() || file.size > MOST_BYTES) {
      throw new UsageError(`${name} is not a file of at most ${MOST_BYTES / 1024} KiB`)
    }
    if (guarded) refuseUnsafe(name, file)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

// What root does is written in this file: nobody else may write it, nor put another in its place.
function refuseUnsafe(name: string, file: Stats): void {
  const path = resolve(name)
  const decided = othersDecide(path, place => whyUnsafe(place === path ? file : statSync(place), 0))
  if (decided !== undefined) throw new UsageError(`${decided} what root does here`)
}

import { resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { messageOf } from '../../core/outcome/failures.ts'
import { UsageError } from './invocation.ts'

/** The flags that every command on a host takes. */
export interface HostFlags {
  json: boolean
  /** The config file, where one is named. */
  config?: string
  /** The tree that every path lies under; `/` for the running host. */
  root: string
}

export function parseHostFlags(args: string[]): HostFlags {
  const { values } = parseFlags({
    args,
    options: {
      json: { type: 'boolean' },
      config: { type: 'string' },
      root: { type: 'string' },
    },
  })
  return {
    json: values.json ?? false,
    ...(values.config === undefined ? {} : { config: values.config }),
    root: wholePath(values.root ?? '/'),
  }
}

// RFC 6901, 5: the whole document.
const MAY_BE_EMPTY = new Set(['json-pointer'])

/**
 * `parseArgs`; what it does not know is a UsageError, and so is an empty value: in `--root "$ROOT"`
 * without a ROOT it would be the working directory, which may be the host's own root.
 */
export function parseFlags<const T extends ParseArgsConfig>(config: T) {
  const parsed = parse(config)
  for (const [name, value] of Object.entries(parsed.values)) {
    if ([value].flat().includes('') && !MAY_BE_EMPTY.has(name)) {
      throw new UsageError(`--${name} is empty: give it a value, or leave it out`)
    }
  }
  return parsed
}

function parse<const T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error })
  }
}

/** A path that was given, from the root on; a UsageError where it counts from a folder that was deleted. */
export function wholePath(path: string): string {
  try {
    return resolve(path)
  } catch (error) {
    const problem = `${path} can't be found: the working directory was deleted; change to another`
    throw new UsageError(problem, { cause: error })
  }
}

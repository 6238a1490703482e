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
    root: resolve(values.root ?? '/'),
  }
}

/** `parseArgs`; what it does not know is a UsageError. */
export function parseFlags<const T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error })
  }
}

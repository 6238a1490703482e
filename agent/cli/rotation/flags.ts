import { optional } from '../../core/basics/when-defined.ts'
import type { Settings } from '../../publisher/rotate/state-file.ts'
import { FLEET_FLAGS } from '../operator/fleet.ts'
import { wholePath } from '../terminal/flags.ts'

export const ROTATE_FLAGS = {
  ...FLEET_FLAGS,
  state: { type: 'string' },
  new: { type: 'string' },
  bundle: { type: 'string' },
  'sign-key': { type: 'string' },
  'publish-command': { type: 'string' },
  'prove-command': { type: 'string' },
  'leave-behind': { type: 'string', multiple: true },
  switched: { type: 'boolean' },
  proved: { type: 'boolean' },
  compromised: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

type Value<T> = T extends { multiple: true }
  ? string[]
  : T extends { type: 'boolean' }
    ? boolean
    : string

export type RotateFlags = {
  [name in keyof typeof ROTATE_FLAGS]?: Value<(typeof ROTATE_FLAGS)[name]> | undefined
}

/** What is kept of the flags for the next call: paths are made whole, and no secret is among them. */
export function settingsOf(flags: RotateFlags): Omit<Settings, 'bundle'> {
  const path = (file: string | undefined) => (file === undefined ? undefined : wholePath(file))
  return {
    ...optional('secretFile', path(flags['secret-file'])),
    ...optional('caFile', path(flags['ca-file'])),
    ...optional('publishCommand', flags['publish-command']),
    ...optional('proveCommand', flags['prove-command']),
    ...optional('timeout', flags.timeout),
    ...optional('concurrency', flags.concurrency),
  }
}

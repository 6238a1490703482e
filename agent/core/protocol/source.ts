import { optional } from '../basics/when-defined.ts'
import { type Config, valueIn } from '../config/config.ts'
import type { SETTINGS, SettingName } from '../config/settings.ts'

/** Where the bundle comes from, with every path already read: what the fetch needs and nothing else. */
export interface Source {
  /** `https:`, `file:`, or `http:` on loopback. */
  url: string
  /** Sent as `Authorization: Bearer`; RFC 6750 §2.1. */
  token?: string
  /** PEM certificates trusted beside the system's roots. */
  extraRoots?: string
  /** RFC 6901 pointer to the string that holds the bundle in a JSON reply. */
  jsonPointer?: string
}

type FileSetting = {
  [N in SettingName]: (typeof SETTINGS)[N] extends { credential: 'source' } ? N : never
}[SettingName]

/** The settings whose files a fetch needs, and what of `Source` each holds. */
const FILES = {
  'source.token_file': 'token',
  'source.ca_file': 'extraRoots',
} as const satisfies Record<FileSetting, keyof Source>

/** The source by the settings; `read` gives what a file holds, or `undefined` where it has noted why not. */
export function sourceOf(
  config: Config['source'] & { url: URL },
  read: (setting: FileSetting, path: string) => string | undefined,
): Source {
  const source: Source = { url: config.url.href, ...optional('jsonPointer', config.jsonPointer) }
  for (const setting of Object.keys(FILES) as FileSetting[]) {
    const path = valueIn({ source: config }, setting)
    Object.assign(source, optional(FILES[setting], path && read(setting, path)))
  }
  return source
}

/** Why nothing usable came from the source. The last good keys stay in force. */
export const SOURCE_FAILURE_CODES = [
  'unreachable',
  'tls',
  'timeout',
  'unauthorized',
  'not-found',
  'server-error',
  'unexpected-status',
  'unexpected-reply',
  'redirect',
  'unreadable-file',
  'bad-url',
  'json',
  'fetch-failed',
] as const

export type SourceFailureCode = (typeof SOURCE_FAILURE_CODES)[number]

/** Why what came can be no bundle, whatever the form of one. */
export const SOURCE_REFUSAL_CODES = ['html', 'too-large'] as const

/** What one look at the source gave. `message` says what happened and what to do; it never holds a secret. */
export type Fetched =
  | { kind: 'bundle'; bytes: Uint8Array; etag?: string; date?: Date }
  | { kind: 'not-modified'; etag?: string; date?: Date }
  | { kind: 'unavailable'; code: SourceFailureCode; message: string; retryAfterSeconds?: number }
  | { kind: 'refused'; code: (typeof SOURCE_REFUSAL_CODES)[number]; message: string }

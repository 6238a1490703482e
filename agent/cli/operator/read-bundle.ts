import { optional } from '../../core/basics/when-defined.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import type { OutcomeName } from '../../core/outcome/outcome-rows.ts'
import { readBounded, readStreamBounded } from '../../publisher/read-bounded.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/** The flags by which a URL is fetched, for `parseFlags`. */
export const SOURCE_FLAGS = {
  'ca-file': { type: 'string' },
  'token-file': { type: 'string' },
  'json-pointer': { type: 'string' },
} as const

type SourceFlags = { [name in keyof typeof SOURCE_FLAGS]?: string | undefined }

/** The bytes and what to call them, or why there are none. */
export type Read =
  | { kind: 'read'; bytes: Uint8Array; name: string }
  | { kind: 'failed'; code: string; message: string; outcome: OutcomeName }

/** Reads a bundle from a file, an https URL, or standard input (`-`). A missing file is a UsageError. */
export async function readBundle(
  place: string,
  flags: SourceFlags,
  invocation: Invocation,
): Promise<Read> {
  if (place === '-') {
    return { kind: 'read', bytes: await readStandardInput(), name: 'standard input' }
  }
  if (/^[a-z]+:\/\//i.test(place)) return readUrl(place, flags, invocation)
  return { kind: 'read', bytes: readNamed(place), name: place }
}

/** A file that the operator named; a UsageError where it can't be read. */
export function readNamed(path: string): Buffer {
  try {
    return readBounded(path)
  } catch (error) {
    throw new UsageError(`${path} can't be read: ${messageOf(error)}`, { cause: error })
  }
}

/** What is piped in; a UsageError where it has no end. */
export async function readStandardInput(): Promise<Buffer> {
  try {
    return await readStreamBounded(process.stdin)
  } catch (error) {
    throw new UsageError(`standard input can't be read: ${messageOf(error)}`, { cause: error })
  }
}

async function readUrl(
  place: string,
  flags: SourceFlags,
  { environment, version }: Invocation,
): Promise<Read> {
  const { parseSourceUrl, showUrl } = await import('../../core/network/source-url.ts')
  const url = parseSourceUrl(place)
  if ('problem' in url) throw new UsageError(`the URL ${url.problem}`)
  const { fetchBundle } = await import('../../source/fetch-bundle.ts')
  const read = (path: string | undefined) =>
    path === undefined ? undefined : readNamed(path).toString()
  const source = {
    url: url.value.href,
    ...optional('token', read(flags['token-file'])?.trim()),
    ...optional('extraRoots', read(flags['ca-file'])),
    ...optional('jsonPointer', flags['json-pointer']),
  }
  const fetched = await fetchBundle(source, { environment, version })
  switch (fetched.kind) {
    case 'bundle':
      return { kind: 'read', bytes: fetched.bytes, name: showUrl(url.value) }
    case 'not-modified':
      throw new Error('a 304 to a request without an ETag')
    case 'refused':
      return { ...fetched, kind: 'failed', outcome: 'refused' }
    case 'unavailable':
      return { ...fetched, kind: 'failed', outcome: 'source-unavailable' }
  }
}

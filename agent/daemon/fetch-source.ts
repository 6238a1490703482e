import { type Fetched, sourceOf } from '../core/protocol/source.ts'
import { fetchBundle } from '../source/fetch-bundle.ts'
import type { FetchOptions } from '../source/http/fetch-options.ts'
import { readSecret } from './read-secret.ts'
import type { Given } from './running.ts'

/** Looks at the configured source once; its secrets are read anew, since a token may be rotated too. */
export async function fetchSource(
  { config, environment, version, signal }: Given,
  options: Pick<FetchOptions, 'etag' | 'waitSeconds'>,
): Promise<Fetched> {
  const source = sourceOf(config.source, (_, path) =>
    readSecret(path, environment.CREDENTIALS_DIRECTORY, given => given),
  )
  return fetchBundle(source, { ...options, environment, version, signal })
}

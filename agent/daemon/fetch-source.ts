import { type Fetched, sourceOf } from '../core/protocol/source.ts'
import { fetchBundle } from '../source/fetch-bundle.ts'
import type { FetchOptions } from '../source/http/fetch-options.ts'
import { readSecret } from './read-secret.ts'
import type { Running } from './running.ts'

/** Looks at the configured source once; its secrets are read anew, since a token may be rotated too. */
export async function fetchSource(
  { config, invocation, signal }: Pick<Running, 'config' | 'invocation' | 'signal'>,
  options: Pick<FetchOptions, 'etag' | 'waitSeconds'>,
): Promise<Fetched> {
  const { environment, version } = invocation
  const source = sourceOf(config.source, (_, path) =>
    readSecret(path, environment.CREDENTIALS_DIRECTORY, given => given),
  )
  return fetchBundle(source, { ...options, environment, version, signal })
}

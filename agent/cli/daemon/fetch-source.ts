import type { Fetched, Source } from '../../core/protocol/source.ts'
import { readSecret } from '../../daemon/read-secrets.ts'
import { fetchBundle } from '../../daemon/source/fetch-bundle.ts'
import type { FetchOptions } from '../../daemon/source/http/fetch-options.ts'
import type { Running } from './running.ts'

/** Looks at the configured source once; its secrets are read anew, since a token may be rotated too. */
export async function fetchSource(
  { config, invocation, signal }: Pick<Running, 'config' | 'invocation' | 'signal'>,
  options: Pick<FetchOptions, 'etag' | 'waitSeconds'>,
): Promise<Fetched> {
  const { environment, version } = invocation
  const source = readSource(config.source, environment.CREDENTIALS_DIRECTORY)
  return fetchBundle(source, { ...options, environment, version, signal })
}

function readSource(source: Running['config']['source'], credentials: string | undefined): Source {
  const read = (path: string) => readSecret(path, credentials, given => given)
  return {
    url: source.url.href,
    ...(source.tokenFile === undefined ? {} : { token: read(source.tokenFile) }),
    ...(source.caFile === undefined ? {} : { extraRoots: read(source.caFile) }),
    ...(source.jsonPointer === undefined ? {} : { jsonPointer: source.jsonPointer }),
  }
}

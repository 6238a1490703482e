import { text } from 'node:stream/consumers'
import { decodeFetchRequest, encodeFetched } from '../core/protocol/fetch-protocol.ts'
import { fetchBundle } from '../source/fetch-bundle.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'

/** The child of `apply` and `plan` that fetches without root; not for people. */
export async function fetch({ environment, version }: Invocation): Promise<number> {
  const request = decodeFetchRequest(await text(process.stdin))
  if (request === undefined) throw new UsageError('fetch is a part of apply and plan; run these')
  const { source, descriptor } = request
  const fetched = await fetchBundle(source, {
    environment,
    version,
    ...(descriptor ? { fileDescriptor: 3 } : {}),
  })
  process.stdout.write(encodeFetched(fetched))
  return 0
}

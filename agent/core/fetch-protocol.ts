import type { Fetched, Source } from './source.ts'

/** What root asks of the child that fetches, on its standard input. */
export interface FetchRequest {
  source: Source
  /** Whether a `file:` source is open already, as descriptor 3. */
  descriptor: boolean
}

export function encodeFetchRequest(request: FetchRequest): string {
  return JSON.stringify(request)
}

export function decodeFetchRequest(text: string): FetchRequest {
  return JSON.parse(text) as FetchRequest
}

/** The child's answer: the result of the fetch, its bytes in base64. */
export function encodeFetched(fetched: Fetched): string {
  if (fetched.kind !== 'bundle') return JSON.stringify(fetched)
  const { bytes, ...rest } = fetched
  return JSON.stringify({ ...rest, bytes: Buffer.from(bytes).toString('base64') })
}

/** The child has no privileges and no word here: a text of any other form is an error. */
export function decodeFetched(text: string): Fetched {
  const answer: unknown = JSON.parse(text)
  if (typeof answer !== 'object' || answer === null || !('kind' in answer)) {
    throw new Error('the fetch child gave an answer of another form')
  }
  if (answer.kind !== 'bundle') return answer as Fetched
  const { bytes, date, ...rest } = answer as Record<string, unknown>
  return {
    ...rest,
    kind: 'bundle',
    bytes: Buffer.from(String(bytes), 'base64'),
    ...(typeof date === 'string' ? { date: new Date(date) } : {}),
  }
}

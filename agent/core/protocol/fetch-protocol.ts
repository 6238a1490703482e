import { plainText } from '../basics/plain-text.ts'
import { MAX_BUNDLE_BYTES } from '../bundle/limits.ts'
import { type Fetched, SOURCE_FAILURE_CODES, SOURCE_REFUSAL_CODES, type Source } from './source.ts'

/** What root asks of the child that fetches, on its standard input. */
export interface FetchRequest {
  source: Source
  /** Whether a `file:` source is open already, as descriptor 3. */
  descriptor: boolean
}

/** What the child answers. It is never asked whether something is new, so it never says that nothing is. */
export type FetchAnswer = Exclude<Fetched, { kind: 'not-modified' }>

/** The longest answer in bytes: a bundle in base64, which a JSON source can make twice as long. */
export const MAX_ANSWER_BYTES = 4 * MAX_BUNDLE_BYTES

const MAX_MESSAGE = 2_000

export function encodeFetchRequest(request: FetchRequest): string {
  return JSON.stringify(request)
}

/** `undefined` where the text is no request; it comes from root, and its values are root's own. */
export function decodeFetchRequest(text: string): FetchRequest | undefined {
  const request = parseObject(text)
  const source = request?.get('source')
  const isRequest = typeof source === 'object' && source !== null && 'url' in source
  return isRequest ? (JSON.parse(text) as FetchRequest) : undefined
}

/** What root needs of the fetch, its bytes in base64. */
export function encodeFetched(fetched: Fetched): string {
  const { kind } = fetched
  if (kind === 'not-modified') throw new Error('a 304 to a request without an ETag')
  if (kind === 'bundle') {
    return JSON.stringify({ kind, bytes: Buffer.from(fetched.bytes).toString('base64') })
  }
  const { code, message } = fetched
  return JSON.stringify({ kind, code, message })
}

/** The child has no privileges and no word here: `undefined` where this is not exactly an answer. */
export function decodeFetched(text: string): FetchAnswer | undefined {
  const answer = parseObject(text)
  const kind = answer?.get('kind')
  if (answer === undefined || answer.size !== (kind === 'bundle' ? 2 : 3)) return undefined
  if (kind === 'bundle') {
    const encoded = answer.get('bytes')
    if (typeof encoded !== 'string') return undefined
    const bytes = Buffer.from(encoded, 'base64')
    return bytes.toString('base64') === encoded ? { kind, bytes } : undefined
  }
  const said = answer.get('message')
  if (typeof said !== 'string' || said.length > MAX_MESSAGE) return undefined
  const message = plainText(said)
  if (kind === 'unavailable') {
    const code = SOURCE_FAILURE_CODES.find(each => each === answer.get('code'))
    return code === undefined ? undefined : { kind, code, message }
  }
  if (kind === 'refused') {
    const code = SOURCE_REFUSAL_CODES.find(each => each === answer.get('code'))
    return code === undefined ? undefined : { kind, code, message }
  }
  return undefined
}

function parseObject(text: string): Map<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return new Map(Object.entries(value))
  } catch {
    return undefined
  }
}

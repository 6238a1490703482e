import { type Unavailable, unavailable } from './failure.ts'
import { lookUp, parseJsonPointer } from './json-pointer.ts'

/** Takes the bundle out of a JSON reply. The parser's own words are dropped: they quote the reply. */
export function readJsonBundle(
  bytes: Uint8Array,
  pointer: string,
  shown: string,
): Uint8Array | Unavailable {
  const name = JSON.stringify(pointer)
  const tokens = parseJsonPointer(pointer)
  if (!tokens) {
    return unavailable(
      'json',
      `source.json_pointer ${name} is not a JSON pointer`,
      'Write it as in RFC 6901, for instance /data/ca.pub',
    )
  }
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return unavailable(
      'json',
      `${shown} did not answer with JSON, which source.json_pointer ${name} needs`,
      'Check source.url, or remove source.json_pointer if it serves the bundle itself',
    )
  }
  const value = lookUp(document, tokens)
  if (typeof value !== 'string') {
    return unavailable(
      'json',
      value === undefined
        ? `The JSON from ${shown} has nothing at ${name}`
        : `The JSON from ${shown} has something other than a string at ${name}`,
      'Set source.json_pointer to the string that holds the bundle',
    )
  }
  return new TextEncoder().encode(value)
}

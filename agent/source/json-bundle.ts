import { type Unavailable, unavailable } from './http/failure.ts'
import { lookUp, parseJsonPointer } from './json-pointer.ts'

/**
 * Takes the bundle out of a JSON reply: a string, or a list of strings that are its lines. The parser's
 * own words are dropped: they quote the reply.
 */
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
  const lines = Array.isArray(value) ? value : [value]
  if (lines.length === 0 || !lines.every(line => typeof line === 'string')) {
    return unavailable(
      'json',
      value === undefined
        ? `The JSON from ${shown} has nothing at ${name}`
        : `The JSON from ${shown} has something other than a string, or a list of them, at ${name}`,
      'Set source.json_pointer to the string that holds the bundle',
    )
  }
  return new TextEncoder().encode(lines.map(withKeyType).join('\n'))
}

// step-ca's /ssh/roots gives the bare blob of RFC 4253 §6.6, whose first string is the type. Whether it
// is a key at all is for the root side to say.
function withKeyType(line: string): string {
  if (!/^AAAA[A-Za-z0-9+/]{4,}=*$/.test(line)) return line
  const blob = Buffer.from(line, 'base64')
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1')
  return /^[a-z0-9@.-]+$/.test(type) ? `${type} ${line}` : line
}

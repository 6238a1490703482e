/**
 * Exactly `count` strings of the SSH wire format (RFC 4251 §5) and nothing behind them; `undefined`
 * where the bytes are anything else.
 */
export function readWireStrings(bytes: Buffer, count: number): Buffer[] | undefined {
  const strings: Buffer[] = []
  let at = 0
  while (strings.length < count) {
    if (bytes.length - at < 4) return undefined
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) return undefined
    strings.push(bytes.subarray(at + 4, end))
    at = end
  }
  return at === bytes.length ? strings : undefined
}

/** The first string of the SSH wire format, whatever stands behind it: of a key, its type. */
export function firstWireString(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 4) return undefined
  const end = 4 + bytes.readUInt32BE(0)
  return end <= bytes.length ? bytes.subarray(4, end) : undefined
}

/** A string of the SSH wire format: its length in four bytes, then its bytes. */
export function wireString(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value as Uint8Array)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

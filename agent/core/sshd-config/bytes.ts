// sshd's configuration is bytes, in no encoding: its text and the paths in it are held as strings of
// one character a byte ("latin1"), so that what is read is given back, and `?` in a pattern is a byte.

/** The bytes of a file or a name. */
export function bytesOf(content: Uint8Array): string {
  return Buffer.from(content).toString('latin1')
}

/** What `bytesOf` was made from. */
export function fromBytes(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1')
}

/** The text that bytes are in UTF-8; `undefined` where they are none. */
export function asText(bytes: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromBytes(bytes))
  } catch {
    return undefined
  }
}

/**
 * Bytes for a person to read, in one line and safe on a terminal: as UTF-8 where they are, and what is
 * neither that nor printable as `\x1b`.
 */
export function showBytes(bytes: string): string {
  const text = asText(bytes) ?? bytes.replaceAll(/[\x80-\xff]/g, escaped)
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return code > 0xff ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, '0')}`
}

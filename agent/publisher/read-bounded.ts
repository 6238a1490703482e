import { closeSync, openSync, readSync } from 'node:fs'
import { readBody } from '../http/read-body.ts'

/** Far more than any bundle, key, state or list of hosts fills. */
const MOST_BYTES = 16 * 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/**
 * All bytes of a file that the operator named, or of a descriptor; a pipe is read too (`<(…)`). One without
 * end, as /dev/zero, is given up rather than waited for. Throws the errors of open(2) and read(2).
 */
export function readBounded(file: string | number): Buffer {
  if (typeof file === 'number') return readAll(file)
  const fd = openSync(file, 'r')
  try {
    return readAll(fd)
  } finally {
    closeSync(fd)
  }
}

function readAll(fd: number): Buffer {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const chunks: Buffer[] = []
  for (let length = 0; ; ) {
    const read = readSync(fd, buffer)
    if (read === 0) return Buffer.concat(chunks)
    length += read
    if (length > MOST_BYTES) throw tooLarge()
    chunks.push(Buffer.from(buffer.subarray(0, read)))
  }
}

/** The same of standard input, or of another stream. */
export async function readStreamBounded(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const bytes = await readBody(stream, MOST_BYTES)
  if (bytes === undefined) throw tooLarge()
  return Buffer.from(bytes)
}

const tooLarge = () => new Error(`it holds more than ${MOST_BYTES / 1024 / 1024} MiB`)

import { fstat, read } from 'node:fs'
import { constants, open } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MAX_BUNDLE_BYTES } from '../core/bundle/limits.ts'
import type { Fetched } from '../core/protocol/source.ts'
import { unavailable } from './http/failure.ts'
import { refuseTooLarge } from './http/too-large.ts'

const fstatAsync = promisify(fstat)
const readAsync = promisify(read)

/** Reads a `file:` source, through `fileDescriptor` where somebody with more rights has opened it. */
export async function readFromFile(
  url: URL,
  fileDescriptor: number | undefined,
  signal: AbortSignal,
): Promise<Fetched> {
  let path: string
  try {
    path = fileURLToPath(url)
  } catch {
    return unavailable(
      'bad-url',
      'source.url holds an encoded slash or NUL',
      'Write the path plainly, as in file:///etc/pomerium/bundle',
    )
  }
  try {
    if (fileDescriptor !== undefined) return await readDescriptor(path, fileDescriptor, signal)
    // Not to wait for a writer where somebody put a FIFO; regular files do not mind the flag.
    await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return await readDescriptor(path, handle.fd, signal)
  } catch (error) {
    signal.throwIfAborted()
    return explainFileFailure(error, path)
  }
}

async function readDescriptor(path: string, fd: number, signal: AbortSignal): Promise<Fetched> {
  const before = await fstatAsync(fd, { bigint: true })
  if (!before.isFile()) {
    return unavailable(
      'unreadable-file',
      `${path} is not a regular file`,
      'Point source.url at a regular file',
    )
  }
  if (before.size > MAX_BUNDLE_BYTES) return refuseTooLarge(path)
  const buffer = new Uint8Array(MAX_BUNDLE_BYTES + 1)
  let length = 0
  while (length < buffer.length) {
    signal.throwIfAborted()
    const { bytesRead } = await readAsync(fd, buffer, length, buffer.length - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  if (length > MAX_BUNDLE_BYTES) return refuseTooLarge(path)
  const after = await fstatAsync(fd, { bigint: true })
  if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
    return unavailable(
      'unreadable-file',
      `${path} was written to while it was read`,
      'Write a new file beside it and rename that over it',
    )
  }
  return { kind: 'bundle', bytes: buffer.slice(0, length) }
}

function explainFileFailure(error: unknown, path: string): Fetched {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EACCES' || code === 'EPERM') {
    return unavailable(
      'unreadable-file',
      `${path} may not be read by the user ${currentUser()}`,
      `Give ${currentUser()} permission to read it and to enter each folder above it`,
    )
  }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return unavailable(
      'unreadable-file',
      `${path} does not exist for the user ${currentUser()}`,
      'Check the path in source.url, and that it lies outside what the service may not see, such as /home and /tmp',
    )
  }
  if (typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)) {
    return unavailable(
      'unreadable-file',
      `${path} could not be read by the user ${currentUser()} (${code})`,
      'Check the file and the file system it lies on',
    )
  }
  throw error
}

/** In a container the user often has no name. */
function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    return `with id ${process.geteuid?.()}`
  }
}

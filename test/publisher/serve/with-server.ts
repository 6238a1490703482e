// A bundle server on loopback, with a file of its own, that closes with the test.

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Edition, readEdition } from '../../../agent/publisher/serve/published.ts'
import {
  type ServeEvent,
  type ServeOptions,
  type Serving,
  serveBundle,
} from '../../../agent/publisher/serve/serve-bundle.ts'
import type { Answered } from '../../../agent/publisher/serve/server.ts'

// Two public keys, whose private halves nobody has kept.
const BLOBS = ['first', 'other'].map(seed => {
  const type = Buffer.from('ssh-ed25519')
  const sizes = [Buffer.from([0, 0, 0, type.length]), Buffer.from([0, 0, 0, 32])] as const
  return Buffer.concat([sizes[0], type, sizes[1], Buffer.alloc(32, seed)]).toString('base64')
})
export const [FIRST = '', OTHER = ''] = BLOBS.map(blob => `ssh-ed25519 ${blob} a-ca`)

export interface TestServer {
  serving: Serving
  url: string
  file: string
  events: ServeEvent[]
  answers: Answered[]
  errors: unknown[]
  /** Renames a new file over the bundle, as our own commands do. */
  put(text: string): void
  get(headers?: Record<string, string>, path?: string, method?: string): Promise<Response>
}

export async function useServer(
  text = `# serial: 1\n${FIRST}\n`,
  options: Partial<ServeOptions> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'serve-'))
  const file = join(folder, 'bundle')
  writeFileSync(file, text)
  const state = { events: [] as ServeEvent[], answers: [] as Answered[], errors: [] as unknown[] }
  const serving = await serveBundle({
    file,
    first: readEdition(Buffer.from(text)) as Edition,
    listen: { host: '127.0.0.1', port: 0 },
    readBundle: () => readFileSync(file),
    onEvent: event => state.events.push(event),
    onAnswer: answered => state.answers.push(answered),
    onError: error => state.errors.push(error),
    ...options,
  })
  onTestFinished(async () => {
    await serving.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const url = `${options.readTls ? 'https' : 'http'}://127.0.0.1:${serving.address.port}`
  return {
    serving,
    url,
    file,
    ...state,
    put(next) {
      writeFileSync(`${file}.new`, next)
      renameSync(`${file}.new`, file)
    },
    get: (headers = {}, path = '/bundle', method = 'GET') =>
      fetch(`${url}${path}`, { headers, method }),
  }
}

import { messageOf } from '../../core/outcome/failures.ts'
import type { TlsFiles } from '../../http/listener.ts'
import { openMetrics } from './metrics.ts'
import { type Edition, publish } from './published.ts'
import { type BundleServer, openServer, type ServerOptions } from './server.ts'
import { watchFile } from './watch-file.ts'

export interface ServeOptions
  extends Pick<ServerOptions, 'listen' | 'onAnswer' | 'onError' | 'connections'> {
  /** The absolute path of the bundle. */
  file: string
  first: Edition
  /** Reads the bundle; throws where the file can't be read. */
  readBundle(): Uint8Array
  /** Reads what may be rotated beside it; throws where it can't be used. */
  readTls?(): TlsFiles
  readToken?(): string
  onEvent(event: ServeEvent): void
}

/** What the operator hears of; each is a line of the log. */
export type ServeEvent =
  | { kind: 'serving'; edition: Edition; warning?: string }
  /** The last good one stays. */
  | { kind: 'refused'; code: string; line?: number; message: string }
  | { kind: 'unreadable'; what: 'bundle' | 'certificate' | 'token'; message: string }
  | { kind: 'watch-lost'; code: string }

export interface Serving {
  address: BundleServer['address']
  /** Reads everything again: bundle, certificate, token. */
  reload(): void
  /** Looks at the bundle again. */
  look(): void
  close(): Promise<void>
}

/** Serves a bundle's file and follows it; a file that holds none never replaces the last good one. */
export async function serveBundle(options: ServeOptions): Promise<Serving> {
  const { file, first, readBundle, readTls, readToken, onEvent } = options
  const published = publish(first)
  const metrics = openMetrics(published)
  let token = readToken?.()
  const tls = readTls?.()
  const server = await openServer({
    ...options,
    ...(tls === undefined ? {} : { tls }),
    published,
    metrics,
    token: () => token,
  })
  const attempt = (what: 'bundle' | 'certificate' | 'token', work: () => void) => {
    try {
      work()
    } catch (error) {
      onEvent({ kind: 'unreadable', what, message: messageOf(error) })
    }
  }
  const look = () =>
    attempt('bundle', () => {
      const replacement = published.replace(readBundle())
      if (replacement.kind === 'same') return
      if (replacement.kind === 'refused') metrics.refused()
      onEvent(replacement.kind === 'refused' ? replacement : { ...replacement, kind: 'serving' })
    })
  const watch = watchFile(file, look, code => onEvent({ kind: 'watch-lost', code }))
  onEvent({ kind: 'serving', edition: first })
  return {
    address: server.address,
    look,
    reload() {
      look()
      attempt('certificate', () => {
        const fresh = readTls?.()
        if (fresh !== undefined) server.setTls(fresh)
      })
      attempt('token', () => {
        token = readToken?.()
      })
    },
    async close() {
      await watch.close()
      await server.close()
    },
  }
}

import { once } from 'node:events'
import type { Logger } from 'pino'
import { optional } from '../../core/basics/when-defined.ts'
import { listenAddress } from '../../core/config/setting-types.ts'
import { splitAddress } from '../../core/network/listen-address.ts'
import { parseToken } from '../../publisher/serve/bearer.ts'
import { readEdition } from '../../publisher/serve/published.ts'
import type { ServeEvent } from '../../publisher/serve/serve-bundle.ts'
import { readNamed } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { parseFlags, wholePath } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { openLog } from '../terminal/log.ts'
import { stopSignal } from '../terminal/stop-signal.ts'

/** Serves a bundle to a small fleet, and follows its file; runs until it is told to stop. */
export async function serve({ args }: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: {
      listen: { type: 'string' },
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      'token-file': { type: 'string' },
    },
  })
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new UsageError('bundle serve wants one FILE')
  const readTls = tlsReader(values['tls-cert'], values['tls-key'])
  const readToken = tokenReader(values['token-file'])
  const listen = readListen(values.listen ?? (readTls ? '0.0.0.0:8443' : '127.0.0.1:8080'))
  const readBundle = () => readNamed(file)
  const first = readEdition(readBundle())
  if ('kind' in first) return printRefusal(file, first, false)

  const stop = stopSignal()
  const log = await openLog()
  const { serveBundle } = await import('../../publisher/serve/serve-bundle.ts')
  const serving = await serveBundle({
    file: wholePath(file),
    first,
    listen,
    readBundle,
    ...optional('readTls', readTls),
    ...optional('readToken', readToken),
    onAnswer: answered => log.info(answered, 'answered'),
    onError: error => log.error({ err: error }, 'the server failed'),
    onEvent: event => logEvent(log, event, file),
  }).catch(error => {
    throw listenFailure(error, values.listen)
  })
  process.on('SIGHUP', serving.reload)
  const { address, port } = serving.address
  log.info({ address, port, tls: readTls !== undefined }, 'listening')
  if (readTls === undefined && !/^(127\.|::1$)/.test(address)) {
    log.warn('plain http: hosts take https only, so put TLS in front, or give --tls-cert')
  }
  if (!stop.aborted) await once(stop, 'abort')
  log.info('leaving')
  await serving.close()
  return 0
}

function tlsReader(cert: string | undefined, key: string | undefined) {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) {
    throw new UsageError('--tls-cert and --tls-key go together')
  }
  return () => ({ cert: readNamed(cert), key: readNamed(key) })
}

function tokenReader(path: string | undefined) {
  if (path === undefined) return undefined
  return () => {
    const token = parseToken(readNamed(path).toString())
    if (token !== undefined) return token
    throw new UsageError(
      `${path} must hold one token of 16 characters or more, as \`openssl rand -hex 32\` makes it`,
    )
  }
}

function readListen(text: string) {
  const read = listenAddress(text)
  if ('problem' in read) throw new UsageError(`--listen ${read.problem}`)
  return splitAddress(read.value)
}

// A port that is taken, or a certificate that is none, is the operator's to mend.
function listenFailure(error: unknown, listen: string | undefined): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (/^(EADDR|EACCES)/.test(code)) {
    return new UsageError(`--listen ${listen ?? ''}: ${(error as Error).message}`)
  }
  if (/^ERR_(OSSL|SSL|TLS)/.test(code)) {
    return new UsageError(`--tls-cert and --tls-key are no pair that TLS can use (${code})`)
  }
  return error
}

function logEvent(log: Logger, event: ServeEvent, file: string): void {
  switch (event.kind) {
    case 'serving': {
      const { etag, bundle } = event.edition
      const keys = bundle.keys.map(({ fingerprint }) => fingerprint)
      log.info({ file, etag, serial: bundle.serial, keys }, 'serving')
      if (event.warning !== undefined) log.warn({ file }, event.warning)
      break
    }
    case 'refused': {
      const { code, line, message } = event
      log.error(
        { file, code, line },
        `the file is no bundle, and the last good one stays: ${message}`,
      )
      break
    }
    case 'unreadable':
      log.error({ what: event.what }, `the last good one stays: ${event.message}`)
      break
    case 'watch-lost':
      log.warn({ code: event.code }, 'no watch on the file; looking at the clock instead')
  }
}

import { type Bundle, type BundleRefused, parseBundle } from '../../core/bundle/bundle.ts'
import { entityTagOf } from '../../http/entity-tag.ts'

/** What is served: always a bundle that a host can parse. */
export interface Edition {
  bytes: Uint8Array
  etag: string
  bundle: Bundle
}

/** What became of new bytes. */
export type Replacement =
  | { kind: 'same' }
  | { kind: 'replaced'; edition: Edition; warning?: string }
  | BundleRefused

/** The edition in force, and those who wait for the next. */
export interface Published {
  current(): Edition
  /** Puts new bytes in force, if they are a bundle; else the last good one stays. */
  replace(bytes: Uint8Array): Replacement
  /** Resolves when the edition changes or the signal is aborted. */
  changed(signal: AbortSignal): Promise<void>
}

export function readEdition(bytes: Uint8Array): Edition | BundleRefused {
  const bundle = parseBundle(bytes)
  return bundle.kind === 'refused' ? bundle : { bytes, etag: entityTagOf(bytes), bundle }
}

export function publish(first: Edition): Published {
  let edition = first
  // Not one promise for all to race against: it would keep a trace of every poll until the next change.
  const waiting = new Set<() => void>()
  return {
    current: () => edition,
    replace(bytes) {
      const read = readEdition(bytes)
      if ('kind' in read) return read
      if (read.etag === edition.etag) return { kind: 'same' }
      const warning = warnOf(edition.bundle, read.bundle)
      edition = read
      for (const wake of waiting) wake()
      return { kind: 'replaced', edition, ...(warning === undefined ? {} : { warning }) }
    },
    async changed(signal) {
      if (signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const wake = () => resolve()
      waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
      await promise
      waiting.delete(wake)
      signal.removeEventListener('abort', wake)
    },
  }
}

// Served all the same: the operator may mean it, and the hosts judge for themselves.
function warnOf(before: Bundle, after: Bundle): string | undefined {
  if (before.serial === undefined) return undefined
  if (after.serial === undefined) {
    return `no serial, after serial ${before.serial}: hosts that have seen that one refuse this`
  }
  if (after.serial > before.serial) return undefined
  return `serial ${after.serial} does not come after ${before.serial}: hosts that have seen that one refuse this`
}

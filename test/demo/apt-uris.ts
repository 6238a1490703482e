// What `apt-get --print-uris` prints.

export interface Deb {
  name: string
  version: string
  /** In bytes. */
  size: number
}

/** Its packages; each is a line `'URI' NAME_VERSION_ARCHITECTURE.deb SIZE HASH` (apt-get(8)). */
export function parseUris(text: string): Deb[] {
  const lines = text.matchAll(/^'[^']*' ([^_ ]+)_([^_ ]+)_[^_ ]+\.deb (\d+)\b/gm)
  return [...lines].map(([, name = '', version = '', size]) => ({
    name,
    // An epoch's colon is no character of a file name: `1%3a9.2p1-2`.
    version: decodeURIComponent(version),
    size: Number(size),
  }))
}

/** Their names, and what they weigh together, counted as apt does: in powers of ten. */
export function described(debs: readonly Deb[]): string {
  const bytes = debs.reduce((sum, { size }) => sum + size, 0)
  return `${debs.map(({ name }) => name).join(', ')} (${(bytes / 1e6).toFixed(1)} MB)`
}

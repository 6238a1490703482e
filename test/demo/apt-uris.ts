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

/**
 * What is fetched for the sake of `asked`, and what it weighs together, counted as apt does: in powers of
 * ten. `openssh-server and 5 more, 1.7 MB`.
 */
export function described(asked: readonly string[], debs: readonly Deb[]): string {
  const bytes = debs.reduce((sum, { size }) => sum + size, 0)
  const others = debs.filter(({ name }) => !asked.includes(name)).length
  const names = others === 0 ? asked : [...asked, `${others} more`]
  return `${new Intl.ListFormat('en-GB').format(names)}, ${(bytes / 1e6).toFixed(1)} MB`
}

/**
 * What `sshd -T` or `-G` prints: the value that sshd uses for each keyword, keywords in lower case and
 * values as bytes. Keywords that may stand several times have several values.
 */
export type EffectiveConfig = ReadonlyMap<string, readonly string[]>

/** Parses the dump; newer versions print some keywords in CamelCase (sshd(8), -T). */
export function parseEffectiveConfig(dump: string): EffectiveConfig {
  const config = new Map<string, string[]>()
  for (const line of dump.split('\n')) {
    if (line === '') continue
    const [, word = '', value = ''] = /^([^ ]*) ?(.*)$/s.exec(line) ?? []
    const keyword = word.toLowerCase()
    config.set(keyword, [...(config.get(keyword) ?? []), value])
  }
  return config
}

/** The file that sshd reads trusted CA keys from; `undefined` where it trusts none. */
export function trustedUserCaKeys(config: EffectiveConfig): string | undefined {
  const value = config.get('trustedusercakeys')?.[0]
  return value === undefined || value === 'none' ? undefined : value
}

import { type CaKey, parseCaKey } from './ca-key.ts'

/**
 * The keys of another owner's CA file, as sshd reads it: line by line up to the first that it can't
 * parse. Kinds of keys that we never publish are passed over, and said.
 */
export function adoptKeys(content: Buffer): { keys: CaKey[]; left: number[] } {
  const keys: CaKey[] = []
  const left: number[] = []
  for (const [index, line] of content.toString().split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const parsed = parseCaKey(line.replace(/[^\P{Cc}\t]/gu, ''))
    if (parsed.kind === 'key') keys.push(parsed.key)
    else left.push(index + 1)
  }
  return { keys, left }
}

/** Ours first, then those of others that are not among them. */
export function unionOfKeys(ours: readonly CaKey[], others: readonly CaKey[]): CaKey[] {
  const seen = new Set<string>()
  return [...ours, ...others].filter(({ base64 }) => {
    if (seen.has(base64)) return false
    seen.add(base64)
    return true
  })
}

/** The keys that come, those that go, and those that stay. */
export function diffKeys<K extends { fingerprint: string }>(
  before: readonly K[],
  after: readonly K[],
): { added: K[]; removed: K[]; kept: K[] } {
  const isIn = (keys: readonly K[]) => {
    const fingerprints = new Set(keys.map(({ fingerprint }) => fingerprint))
    return ({ fingerprint }: K) => fingerprints.has(fingerprint)
  }
  const [wasThere, isThere] = [isIn(before), isIn(after)]
  return {
    added: after.filter(key => !wasThere(key)),
    removed: before.filter(key => !isThere(key)),
    kept: after.filter(wasThere),
  }
}

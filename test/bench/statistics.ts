/** The middle and the spread of some measurements, in their unit. */
export interface Spread {
  median: number
  /** A tenth is below. */
  low: number
  /** A tenth is above. */
  high: number
  count: number
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0]
    return below + (above - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.1), high: at(0.9), count: sorted.length }
}

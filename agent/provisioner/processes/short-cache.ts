/** An answer that is believed for a moment: what a program says is asked for several times in one. */
export interface Recent<T> {
  /** The last answer, or `undefined` where there is none that is recent. */
  get(): T | undefined
  /** `askedAt` in milliseconds of the same clock. */
  keep(answer: T, askedAt: number): void
  forget(): void
}

const LASTS_MS = 1_000

/** `now` is in milliseconds; where the clock has been set back, nothing is recent. */
export function recent<T>(now: () => number): Recent<T> {
  let last: { answer: T; askedAt: number } | undefined
  return {
    get() {
      const ageMs = last === undefined ? Number.NaN : now() - last.askedAt
      return ageMs >= 0 && ageMs < LASTS_MS ? last?.answer : undefined
    },
    keep(answer, askedAt) {
      last = { answer, askedAt }
    },
    forget() {
      last = undefined
    },
  }
}

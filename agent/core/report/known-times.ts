/**
 * Of times (ISO 8601) the latest that is not in the future. One that is was written down by a clock that has
 * been set back since, by nobody knows how much: it says nothing of when that was.
 */
export function latestPast(now: Date, ...times: (string | undefined)[]): string | undefined {
  return times
    .filter(time => time !== undefined && Date.parse(time) <= now.getTime())
    .reduce((latest, time) => (isAfter(time, latest) ? time : latest), undefined)
}

/** Whether `one` was later than `other`, as far as that is known. */
export function wasLater(now: Date, one: string | undefined, other: string | undefined): boolean {
  return isAfter(latestPast(now, one), latestPast(now, other))
}

function isAfter(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && (other === undefined || Date.parse(one) > Date.parse(other))
}

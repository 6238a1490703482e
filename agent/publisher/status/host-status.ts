import { plainText } from '../../core/basics/plain-text.ts'
import { count, flag, listOf, parseForm, shape, text, time } from '../../core/basics/stored-form.ts'
import { optional } from '../../core/basics/when-defined.ts'
import { OUTCOME_NAMES } from '../../core/outcome/outcome-rows.ts'
import type { LastCycle } from '../../core/report/host-health.ts'
import type { HostStatus } from '../../core/report/status-answer.ts'
import type { Question } from '../notify/question.ts'
import { isCode, readKeys } from '../notify/read-outcome.ts'

/** What is read of a host's status; codes of a later version are taken as they are. */
export interface ToldStatus extends Omit<HostStatus, 'code' | 'findings'> {
  code: string
  findings: string[]
}

/** How are you? Nothing begins by it. */
export const STATUS: Question<ToldStatus> = {
  type: 'status',
  read: readStatus,
  absent: [
    'no-status',
    'it has no path for this: an older agent (upgrade that host), or no webhook.secret_file there',
  ],
}

const areKeys = (value: unknown): value is unknown[] => readKeys(value) !== undefined
const isLast = shape({ at: time, outcome: text, message: text }, { code: isCode })
const isStatus = shape(
  { ok: flag, code: isCode, findings: listOf(isCode), message: text },
  {
    trusted: areKeys,
    revoked: areKeys,
    serial: count,
    effective: shape({ value: flag, at: time }),
    last: isLast,
  },
)

// Even of the host's own word only what has the form is taken, and rebuilt.
function readStatus(json: string): ToldStatus | undefined {
  const read = parseForm(json, isStatus)
  if (read === undefined) return undefined
  const { ok, code, findings, message, serial, effective } = read
  return {
    ...{ ok, code, findings, message: plainText(message) },
    ...optional('trusted', readKeys(read.trusted)),
    ...optional('revoked', readKeys(read.revoked)),
    ...optional('serial', serial),
    ...optional('effective', effective && { value: effective.value, at: plainText(effective.at) }),
    ...optional('last', read.last && readLast(read.last)),
  }
}

function readLast(last: { at: string; outcome: string; message: string; code?: string }) {
  const outcome = OUTCOME_NAMES.find(each => each === last.outcome)
  if (outcome === undefined) return undefined
  const { at, code, message } = last
  const read: LastCycle = { at: plainText(at), outcome, message: plainText(message) }
  return code === undefined ? read : { ...read, code }
}

import type { IncomingMessage } from 'node:http'
import type { HostStatus } from '../../core/report/status-answer.ts'
import { answerSigned, type SignedParts } from './answer-signed.ts'
import type { Reply } from './reply.ts'

/** The `type` of a body that asks how a host is, and begins nothing. */
export const STATUS_TYPE = 'status'

export interface StatusParts extends SignedParts {
  status(): Promise<HostStatus>
}

/** Somebody who has the secret asks how this host is; no cycle begins by it, and nobody is woken. */
export function answerStatus(
  request: IncomingMessage,
  parts: StatusParts,
): Promise<Reply | undefined> {
  const answer = async (): Promise<Reply> => ({ status: 200, body: await parts.status() })
  return answerSigned(request, { takes: type => type === STATUS_TYPE, answer }, parts)
}

import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { NAMESPACE } from './sshsig.ts'
import type { Accepted } from './trust.ts'

/** A signature that this program has verified, for `ssh-keygen -Y verify` to verify once more. */
export interface Question {
  armor: string
  signed: Uint8Array
  /** The line that lets its key sign, as it stands in the signers file; its times are judged here. */
  signersLine: string
  /** A name of that line. */
  principal: string
}

/** What ssh-keygen says. */
export type SecondVerdict =
  | { kind: 'good' }
  | { kind: 'bad'; message: string }
  /** There is none, or one before OpenSSH 8.1, which can't verify. */
  | { kind: 'not-there'; message: string }
  /** It is there, and could not be asked. */
  | { kind: 'failed'; message: string }

/** How a program ended: its exit code (127 not started, 124 cut off), and what it printed. */
export interface Ended {
  code: number
  stdout: string
  stderr: string
}

/** The arguments of ssh-keygen(1) that ask; what is signed goes to its standard input. */
export function verifyArgs({ principal }: Question, signersFile: string, signatureFile: string) {
  const who = ['-I', principal, '-f', signersFile, '-s', signatureFile]
  return ['-Y', 'verify', '-n', NAMESPACE, ...who]
}

/** Reads how ssh-keygen ended. Nothing but its exit code 0 is a yes. */
export function readVerdict({ code, stdout, stderr }: Ended): SecondVerdict {
  if (code === 0) return { kind: 'good' }
  const said = `${stderr}\n${stdout}`.split('\n').find(line => line.trim() !== '')
  const message = said?.trim() ?? `exit code ${code}`
  if (code === NOT_STARTED || code === CUT_OFF) return { kind: 'failed', message }
  // Before 8.1, getopt(3) knows no -Y.
  return /(unknown|illegal|invalid) option -- '?Y/.test(stderr)
    ? { kind: 'not-there', message: 'the ssh-keygen of this host is older than 8.1' }
    : { kind: 'bad', message }
}

const NOT_STARTED = 127
const CUT_OFF = 124

type Good = Extract<Accepted, { kind: 'accepted' }>

/** A refusal of what this program has accepted: one of the two is wrong, and a person must see which. */
export interface Disagreement {
  kind: 'refused'
  code: 'verifiers-disagree'
  message: string
}

/** Either's no is a no; what this program refuses is never asked. */
export function withSecondVerdict(
  accepted: Good,
  verdict: SecondVerdict,
): Good | Disagreement | HostRefused {
  const { signer, warnings } = accepted
  switch (verdict.kind) {
    case 'good':
      return accepted
    case 'not-there':
      return {
        ...accepted,
        warnings: [
          ...warnings,
          `${verdict.message}: the signature was verified by this program alone; install openssh-client 8.1 or newer`,
        ],
      }
    case 'failed':
      return refuseHost(
        'ssh-keygen-failed',
        `ssh-keygen -Y verify, the second verifier, could not be asked: ${verdict.message}; see why it does not run`,
      )
    case 'bad':
      return {
        kind: 'refused',
        code: 'verifiers-disagree',
        message: `the signature by ${signer?.fingerprint} is good by this program and bad by ssh-keygen -Y verify (${verdict.message}); keep the bundle, and report it: one of the two is wrong`,
      }
  }
}

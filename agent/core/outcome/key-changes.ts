import type { Step } from '../host/step.ts'
import { readCaFile } from '../keys/ca-file.ts'
import { diffKeys } from '../keys/diff-keys.ts'
import { type TrustedKey, trustedKeys } from './outcome.ts'

/** The CA keys that come with a plan, and those that go. */
export interface KeyChanges {
  added: TrustedKey[]
  removed: TrustedKey[]
}

/** What steps make of the keys that lie in the CA file; `undefined` where they leave these as they are. */
export function keyChanges(
  before: readonly TrustedKey[],
  steps: readonly Step[],
  caFile: string,
): KeyChanges | undefined {
  const step = steps.find(each => 'path' in each && each.path === caFile)
  if (step === undefined) return undefined
  // As sshd reads it: adopted keys are among them.
  const after = step.do === 'write-file' ? readCaFile(step.content).keys : []
  const { added, removed } = diffKeys(trustedKeys(before), trustedKeys(after))
  return added.length + removed.length === 0 ? undefined : { added, removed }
}

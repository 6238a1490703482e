import { expect, test } from 'vitest'
import { readVerdict, withSecondVerdict } from '../../../agent/core/trust/second-verifier.ts'
import { acceptBundle } from '../../../agent/core/trust/trust.ts'
import { newKeyLine } from '../../ssh-keys.ts'

const accepted = acceptBundle(
  Buffer.from(newKeyLine('ed25519')),
  undefined,
  { signers: undefined },
  new Date(),
)
if (accepted.kind !== 'accepted') throw new Error(accepted.message)

test.each([
  [0, 'Good "pomerium-user-ca" signature', '', 'good'],
  [255, 'Could not verify signature.', 'bad signature', 'bad'],
  [255, '', '', 'bad'],
  [1, '', '', 'bad'],
  [-1, '', '', 'bad'],
  [1, '', 'ssh-keygen: unknown option -- Y\nusage: ssh-keygen', 'not-there'],
  [127, '', 'spawn EPERM', 'failed'],
  [124, '', 'did not end in time', 'failed'],
])('exit code %i with %j and %j is %s', (code, stdout, stderr, kind) => {
  expect(readVerdict({ code, stdout, stderr }).kind).toBe(kind)
})

test('only a yes is a yes; where nobody can be asked, that is said', () => {
  expect(withSecondVerdict(accepted, { kind: 'good' })).toBe(accepted)
  expect(withSecondVerdict(accepted, { kind: 'bad', message: 'no' })).toMatchObject({
    kind: 'refused',
    code: 'verifiers-disagree',
  })
  expect(withSecondVerdict(accepted, { kind: 'failed', message: 'EPERM' })).toMatchObject({
    kind: 'host-refused',
    code: 'ssh-keygen-failed',
  })
  expect(withSecondVerdict(accepted, { kind: 'not-there', message: 'none' })).toMatchObject({
    kind: 'accepted',
    warnings: [expect.stringContaining('by this program alone')],
  })
})

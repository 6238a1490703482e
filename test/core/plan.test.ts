import { describe, expect, test } from 'vitest'
import { parseEffectiveConfig } from '../../agent/core/effective-config.ts'
import { layoutOf } from '../../agent/core/layout.ts'
import type { FileState, Observation, SshdState } from '../../agent/core/observation.ts'
import { planApply, planRemove } from '../../agent/core/plan.ts'

const CA = '/var/lib/pomerium/pomerium_user_ca_key.pub'
const DROP_IN = '/etc/ssh/sshd_config.d/pomerium-ca.conf'
const layout = layoutOf({
  caFile: CA,
  dropIn: DROP_IN,
  conflict: 'refuse',
  restart: 'rotation',
})
const wanted = { caKeys: 'new\n', dropIn: 'drop\n', restart: 'rotation' as const }
const FOLDER: FileState = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 }
const file = (text: string, mode = 0o600, uid = 0): FileState => ({
  kind: 'file',
  content: Buffer.from(text),
  mode,
  uid,
  gid: 0,
})
const uses = (caFile: string, more = ''): SshdState => ({
  kind: 'readable',
  effective: parseEffectiveConfig(`pubkeyauthentication yes\nTrustedUserCAKeys ${caFile}\n${more}`),
})

const FRESH: Observation = {
  caFolder: { kind: 'missing' },
  caFile: { kind: 'missing' },
  dropInFolder: FOLDER,
  dropIn: { kind: 'missing' },
  sshd: uses('none'),
  service: { kind: 'running', unit: 'ssh.service' },
  owner: { uid: 0, gid: 0 },
  tree: false,
  unseen: [],
}
const SATISFIED: Observation = {
  ...FRESH,
  caFolder: FOLDER,
  caFile: file('new\n'),
  dropIn: file('drop\n'),
  sshd: uses(CA),
}

function steps(host: Observation, want = wanted): string[] {
  const plan = planApply(host, layout, want)
  if (plan.kind !== 'steps') expect.fail(plan.message)
  return plan.steps.map(step => ('path' in step ? `${step.do} ${step.path}` : step.do))
}

describe('planApply', () => {
  test('a fresh host: the keys, then the drop-in that names them, then proof and restart', () => {
    expect(steps(FRESH)).toEqual([
      'make-folder /var/lib/pomerium',
      `write-file ${CA}`,
      `write-file ${DROP_IN}`,
      'check-config',
      'prove-trust',
      'restart-sshd',
    ])
  })

  test('a satisfied host: nothing', () => {
    expect(steps(SATISFIED)).toEqual([])
  })

  const ROTATED = { ...SATISFIED, caFile: file('old\n') }
  test('a rotated CA: the keys, proof and restart; no restart where the config says so', () => {
    const proof = [`write-file ${CA}`, 'check-config', 'prove-trust']
    expect(steps(ROTATED)).toEqual([...proof, 'restart-sshd'])
    expect(steps(ROTATED, { ...wanted, restart: 'config-change' as never })).toEqual(proof)
  })

  test.each([
    ['mode', file('new\n', 0o644), 'mode 0644, not 0600'],
    ['owner', file('new\n', 0o600, 1000), 'owner 1000:0, not 0:0'],
    ['both', file('new\n', 0o4600, 1), 'mode 4600, not 0600, owner 1:0, not 0:0'],
  ])('drifted %s: written anew, without restart', (_, caFile, why) => {
    const plan = planApply({ ...SATISFIED, caFile }, layout, wanted)
    expect(plan).toMatchObject({ kind: 'steps', steps: [{ do: 'write-file', why }, {}, {}] })
  })

  test('a stopped ssh service is not started by us', () => {
    expect(steps({ ...FRESH, service: { kind: 'stopped', unit: 'ssh.service' } })).not.toContain(
      'restart-sshd',
    )
  })

  test('a tree without sshd is written, and not proved', () => {
    expect(
      steps({ ...FRESH, sshd: { kind: 'absent' }, service: { kind: 'unmanaged' }, tree: true }).at(
        -1,
      ),
    ).toBe(`write-file ${DROP_IN}`)
  })

  test.each<[string, Partial<Observation>]>([
    ['sshd-missing', { sshd: { kind: 'absent' } }],
    ['sshd-config-broken', { sshd: { kind: 'broken', message: 'line 3: Bad option' } }],
    [
      'pubkey-authentication-off',
      { sshd: { kind: 'readable', effective: parseEffectiveConfig('pubkeyauthentication no') } },
    ],
    ['foreign-ca', { sshd: uses('/etc/ssh/other.pub') }],
    ['not-a-regular-file', { caFile: { kind: 'other', what: 'symbolic link' } }],
    ['not-a-regular-file', { dropIn: FOLDER }],
    ['not-a-folder', { caFolder: { kind: 'other', what: 'symbolic link' } }],
  ])('host-refused: %s', (code, change) => {
    expect(planApply({ ...FRESH, ...change }, layout, wanted)).toMatchObject({
      kind: 'host-refused',
      code,
    })
  })
})

describe('planRemove', () => {
  test('the drop-in first, so that sshd never names a missing file', () => {
    const plan = planRemove(SATISFIED, layout, ['/var/lib/pomerium'])
    if (plan.kind !== 'steps') expect.fail(plan.message)
    expect(plan.steps.map(step => ('path' in step ? `${step.do} ${step.path}` : step.do))).toEqual([
      `remove-file ${DROP_IN}`,
      'check-config',
      'restart-sshd',
      `remove-file ${CA}`,
      'remove-folder /var/lib/pomerium',
    ])
  })

  test('a fresh host: nothing', () => {
    expect(planRemove(FRESH, layout, [])).toEqual({ kind: 'steps', steps: [] })
  })
})

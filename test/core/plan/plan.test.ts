import { describe, expect, test } from 'vitest'
import { renderCaKeys } from '../../../agent/core/bundle/bundle.ts'
import { renderDropIn } from '../../../agent/core/host/drop-in.ts'
import type { FileState, Observation, SshdState } from '../../../agent/core/host/observation.ts'
import { type Plan, planApply } from '../../../agent/core/plan/plan.ts'
import { planRemove } from '../../../agent/core/plan/plan-remove.ts'
import { newKeyPair, tokenLine } from '../../ssh-keys.ts'
import {
  CA,
  DROP_IN,
  file,
  hostWith,
  KEY,
  layout,
  MAIN,
  newCaKey,
  OURS,
  outline,
  satisfied,
  stepsOf,
  uses,
  WANTED,
} from './planned-host.ts'

const steps = (host: Observation, wanted = WANTED) => stepsOf(planApply(host, layout, wanted))
const PROOF = ['prove-trust']
const FRESH = [
  'make-folder /var/lib/pomerium',
  `write-file ${CA}`,
  `write-file ${DROP_IN}`,
  ...PROOF,
  'restart-sshd',
]

describe('planApply', () => {
  test('a fresh host: the keys, then the drop-in that names them, then proof and restart', () => {
    expect(steps(hostWith())).toEqual(FRESH)
  })

  test('a satisfied host: nothing', () => {
    expect(steps(satisfied())).toEqual([])
  })

  test('a rotated CA: the keys, proof and restart; no restart where the config says so', () => {
    const rotated = satisfied({ [CA]: file('old\n') })
    expect(steps(rotated)).toEqual([`write-file ${CA}`, ...PROOF, 'restart-sshd'])
    const lazy = { ...WANTED, restart: 'config-change' as const }
    expect(steps(rotated, lazy)).toEqual([`write-file ${CA}`, ...PROOF])
  })

  test.each([
    ['one connection is like another', '# Match in a comment\n', 1],
    ['but not where there is a Match', 'Port 22\n  match User bob\n  X11Forwarding no\n', 4],
    ['however it is written', '"Match" all\n', 4],
  ])('a rotated CA is proved on as many connections as may differ: %s', (_, text, count) => {
    const main = `Include /etc/ssh/sshd_config.d/*.conf\n${text}`
    const host = satisfied({ [CA]: file('old\n'), [MAIN]: file(main, 0o644) })
    const texts = new Map([...host.config.texts, [MAIN, main]])
    const plan = planApply({ ...host, config: { ...host.config, texts } }, layout, WANTED)
    const proof = plan.kind === 'steps' && plan.steps.find(step => step.do === 'prove-trust')
    expect(proof && proof.do === 'prove-trust' && proof.proofs).toHaveLength(count)
  })

  test('keys that sshd does not use yet are proved as a whole', () => {
    const rotated = satisfied({ [CA]: file('old\n') }, { sshd: uses('none') })
    expect(steps(rotated)).toEqual([`write-file ${CA}`, ...PROOF, 'restart-sshd'])
  })

  const text = renderCaKeys([KEY])
  test.each<[string, FileState, string]>([
    ['mode', file(text, 0o644), 'mode 0644, not 0600'],
    ['owner', file(text, 0o600, 1000), 'owner 1000:0, not 0:0'],
    ['both', file(text, 0o4600, 1), 'mode 4600, not 0600, owner 1:0, not 0:0'],
  ])('drifted %s: written anew, without restart', (_, state, why) => {
    const plan = planApply(satisfied({ [CA]: state }), layout, WANTED)
    expect(plan).toMatchObject({ kind: 'steps', steps: [{ do: 'write-file', why }, {}] })
  })

  test('an sshd that is not running is not started, one that has failed is', () => {
    const stopped = { service: { kind: 'not-running', unit: 'ssh.service' } } as const
    expect(steps(hostWith({}, stopped))).not.toContain('restart-sshd')
    const failed = {
      service: { kind: 'failed', unit: 'ssh.service', result: 'exit-code' },
    } as const
    expect(steps(satisfied({}, failed))).toEqual(['restart-sshd'])
  })

  test('a restart that was put off is made', () => {
    expect(steps(satisfied({}, { restartDue: true }))).toEqual(['restart-sshd'])
  })

  test('a tree without sshd is written, and not proved', () => {
    const tree = { sshd: { kind: 'absent' }, service: { kind: 'none' }, tree: true } as const
    expect(steps(hostWith({}, tree)).at(-1)).toBe(`write-file ${DROP_IN}`)
  })
})

describe('where no Include reaches the drop-in', () => {
  test.each([
    ['none', 'Port 22\n'],
    ['of another folder', 'Include /etc/ssh/other.d/*.conf\n'],
    ['in a Match', 'Match User bob\n    Include /etc/ssh/sshd_config.d/*.conf'],
  ])('%s: a marked block at the top of sshd_config', (_, main) => {
    const plan = planApply(hostWith({ [MAIN]: main }), layout, WANTED)
    expect(stepsOf(plan)).toEqual([...FRESH.slice(0, 3), `write-file ${MAIN}`, ...FRESH.slice(3)])
    const step = plan.kind === 'steps' ? plan.steps[3] : undefined
    const written = step?.do === 'write-file' ? step.content.toString() : ''
    expect(written).toMatch(/^# BEGIN .*\nInclude (\S+)\n# END .*\n/)
    expect(written.endsWith(main)).toBe(true)
    expect(step).toMatchObject({ mode: 0o644 })
    // And remove takes exactly that away.
    const removal = planRemove(hostWith({ [MAIN]: written }), layout).steps
    expect(removal[0]).toMatchObject({ do: 'write-file', content: Buffer.from(main) })
  })

  test('an sshd that knows no Include gets the directive itself', () => {
    const host = hostWith({ [MAIN]: 'Port 22\n' }, { includes: false })
    const plan = planApply(host, layout, WANTED)
    const step = plan.kind === 'steps' ? plan.steps[3] : undefined
    expect(step?.do === 'write-file' && step.content.toString()).toContain(
      `\nTrustedUserCAKeys ${CA}\n`,
    )
    const scoped = planApply(host, layout, { ...WANTED, acceptFrom: ['192.0.2.0/24'] })
    expect(scoped).toMatchObject({ kind: 'host-refused', code: 'include-missing' })
  })
})

const ZERO = '/etc/ssh/sshd_config.d/00-other.conf'
const OTHER_KEYS = '/etc/ssh/other_ca.pub'
const other = newCaKey()
const foreign = (text: string, path = OTHER_KEYS) =>
  new Map([[path, { kind: 'read' as const, path, content: Buffer.from(text) }]])

describe('another owner of TrustedUserCAKeys', () => {
  const adopt = { ...WANTED, conflict: 'adopt' as const }
  const line = `trustedusercakeys="${OTHER_KEYS}"\n`
  const shape = {
    sshd: uses(OTHER_KEYS),
    foreignCaFiles: foreign(`${other.type} ${other.base64} other\n`),
  }

  test.each([
    ['an earlier drop-in', { [ZERO]: `\n${line}` }, `${ZERO}:2`],
    [
      'a later one, which would be displaced',
      { '/etc/ssh/sshd_config.d/zz.conf': line },
      'zz.conf:1',
    ],
    ['sshd_config', { [MAIN]: `${line}Include /etc/ssh/sshd_config.d/*.conf\n` }, `${MAIN}:1`],
    ['a Match', { [ZERO]: `Match User bob\n${line}` }, `${ZERO}:2`],
    ['none, explicitly', { [ZERO]: 'TrustedUserCAKeys none\n' }, `${ZERO}:1`],
  ])('%s: refused, file and line named', (_, texts, place) => {
    const plan = planApply(hostWith(texts, shape), layout, WANTED)
    expect(plan).toMatchObject({ kind: 'host-refused', message: expect.stringContaining(place) })
  })

  test('adopt: both keys, and a drop-in that sorts first', () => {
    const plan = planApply(hostWith({ [ZERO]: line }, shape), layout, adopt)
    expect(stepsOf(plan)).toContain(
      'write-file /etc/ssh/sshd_config.d/00-pomerium-ca.conf'.replace('00-', '0-'),
    )
    const keys =
      plan.kind === 'steps'
        ? plan.steps.find(step => 'path' in step && step.path === CA)
        : undefined
    expect(keys?.do === 'write-file' && keys.content.toString()).toBe(
      `${KEY.type} ${KEY.base64}\n${other.type} ${other.base64} other\n`,
    )
  })

  const ca = (plan: Plan) => {
    const step = plan.kind === 'steps' && plan.steps.find(it => 'path' in it && it.path === CA)
    return step && step.do === 'write-file' ? step.content.toString().split('\n') : []
  }

  test('adopt: only what sshd would go by without us', () => {
    const second = '/etc/ssh/sshd_config.d/zz.conf'
    const files = new Map([...foreign('', '/none.pub'), ...shape.foreignCaFiles])
    const texts = { [ZERO]: 'TrustedUserCAKeys /none.pub\n', [second]: line }
    const host = hostWith(texts, { ...shape, foreignCaFiles: files })
    const plan = planApply(host, layout, adopt)
    expect(plan).toMatchObject({ kind: 'steps', adopted: [] })
    expect(ca(plan)).toEqual([`${KEY.type} ${KEY.base64}`, ''])
  })

  test('adopt: a key of an earlier bundle is left out, and said', () => {
    const published = [KEY.fingerprint, other.fingerprint]
    const plan = planApply(hostWith({ [ZERO]: line }, shape), layout, { ...adopt, published })
    expect(plan).toMatchObject({
      adopted: [],
      warnings: [expect.stringContaining(`${OTHER_KEYS}:1: ${other.fingerprint}`)],
    })
    expect(ca(plan)).toHaveLength(2)
  })

  test('adopt: what the bundle names is the bundle’s', () => {
    const files = foreign(`${KEY.type} ${KEY.base64} as another has it\n`)
    const host = hostWith({ [ZERO]: line }, { ...shape, foreignCaFiles: files })
    const plan = planApply(host, layout, adopt)
    expect(plan).toMatchObject({ adopted: [], warnings: [] })
    expect(ca(plan)).toEqual([`${KEY.type} ${KEY.base64}`, ''])
  })

  test.each<[string, SshdState, boolean]>([
    [
      'knows',
      uses(OTHER_KEYS, 'casignaturealgorithms ssh-ed25519,sk-ssh-ed25519@openssh.com'),
      true,
    ],
    ['may not know', uses(OTHER_KEYS, 'casignaturealgorithms ssh-ed25519'), false],
    ['can not be asked for', { kind: 'absent' }, false],
    ['may not be asked for', { kind: 'unseen' }, true],
  ])('adopt: a security key, which sshd %s', (_, sshd, isKept) => {
    const token = tokenLine('sk-ed25519', newKeyPair('ed25519').publicKey, 'ssh:')
    const foreignCaFiles = foreign(`\n${token}\n`)
    const tree = sshd.kind === 'absent'
    const host = hostWith({ [ZERO]: line }, { ...shape, sshd, foreignCaFiles, tree })
    const plan = planApply(host, layout, adopt)
    if (isKept) expect(ca(plan)).toContain(token)
    else {
      const message = expect.stringContaining(`${OTHER_KEYS}:2 is a key of type sk-ssh-ed25519`)
      expect(plan).toMatchObject({ code: 'foreign-ca-key', message })
    }
  })

  test.each([
    ['unreadable', new Map([[OTHER_KEYS, { kind: 'unreadable' as const, why: 'it is missing' }]])],
    ['not looked at', new Map()],
  ])('adopt: %s is refused', (_, foreignCaFiles) => {
    const host = hostWith({ [ZERO]: `\n${line}` }, { ...shape, foreignCaFiles })
    const message = expect.stringContaining(`${ZERO}:2 (TrustedUserCAKeys ${OTHER_KEYS})`)
    const refused = { kind: 'host-refused', code: 'foreign-ca-unreadable', message }
    expect(planApply(host, layout, adopt)).toMatchObject(refused)
  })

  test('adopt: a block where only that comes first; never a Match', () => {
    const main = `${line}Include /etc/ssh/sshd_config.d/*.conf\n`
    expect(steps(hostWith({ [MAIN]: main }, shape), adopt)).toContain(`write-file ${MAIN}`)
    const scoped = hostWith({ [ZERO]: `Match User bob\n${line}` }, shape)
    expect(planApply(scoped, layout, adopt)).toMatchObject({
      kind: 'host-refused',
      code: 'foreign-ca',
    })
  })
})

describe('accept_from', () => {
  test('a Match that leaves no scope open, proved from inside and from outside', () => {
    const acceptFrom = ['192.0.2.0/24', '2001:db8::/32']
    const plan = planApply(hostWith(), layout, { ...WANTED, acceptFrom })
    const step =
      plan.kind === 'steps' ? plan.steps.find(({ do: it }) => it === 'prove-trust') : undefined
    expect(step).toMatchObject({
      proofs: [
        { addr: '192.0.2.0', trusted: true },
        { addr: '2001:db8::', trusted: true },
        { addr: '198.51.100.1', trusted: false },
      ],
    })
    expect(renderDropIn({ caFile: CA, acceptFrom })).toMatch(
      /\nMatch Address 192\.0\.2\.0\/24,2001:db8::\/32\n {4}TrustedUserCAKeys \S+\n$/,
    )
  })
})

describe('host-refused', () => {
  const with_ = (more: string) => ({ sshd: uses('none', more) })
  const dump = (text: string): Partial<Observation> => {
    const sshd = uses('none')
    if (sshd.kind !== 'readable') throw new Error('no dump')
    const [keyword = '', value = ''] = text.split(' ')
    return {
      sshd: { kind: 'readable', effective: new Map([...sshd.effective, [keyword, [value]]]) },
    }
  }
  test.each<[string, Partial<Observation>]>([
    ['sshd-missing', { sshd: { kind: 'absent' } }],
    ['sshd-config-broken', { sshd: { kind: 'broken', message: 'line 3: Bad option' } }],
    ['pubkey-authentication-off', dump('pubkeyauthentication no')],
    ['ca-type-not-accepted', with_('casignaturealgorithms rsa-sha2-512,rsa-sha2-256')],
    ['certificates-not-accepted', with_('pubkeyacceptedalgorithms ssh-ed25519,rsa-sha2-512')],
    [
      'revoked-keys-missing',
      {
        ...dump('revokedkeys /etc/ssh/revoked'),
        revokedKeys: new Map([['/etc/ssh/revoked', { kind: 'missing' }]]),
      },
    ],
    [
      'revoked-keys-unreadable',
      {
        ...dump('revokedkeys /etc/ssh/revoked'),
        revokedKeys: new Map([['/etc/ssh/revoked', { kind: 'unreadable', why: 'is a folder' }]]),
      },
    ],
    ['read-only', { unwritable: new Map([['/etc/ssh/sshd_config.d', 'read-only']]) }],
    ['no-way-to-restart', { service: { kind: 'not-ours', why: 'an unknown init' } }],
  ])('%s', (code, change) => {
    expect(planApply(hostWith({}, change), layout, WANTED)).toMatchObject({ code })
  })

  const LINK: FileState = { kind: 'other', what: 'symbolic link' }
  test.each([
    ['not-a-regular-file', CA],
    ['not-a-regular-file', DROP_IN],
    ['not-a-folder', '/var/lib/pomerium'],
  ])('%s: a symbolic link at %s', (code, path) => {
    expect(planApply(satisfied({ [path]: LINK }), layout, WANTED)).toMatchObject({ code })
  })

  test('unexplained-ca: the files are right, and sshd uses another one all the same', () => {
    const plan = planApply(satisfied({}, { sshd: uses('/o.pub') }), layout, WANTED)
    expect(plan).toMatchObject({
      code: 'unexplained-ca',
      message: expect.stringContaining('/o.pub'),
    })
    const written = [{ path: '/o.pub', is: 'keys' as const }]
    const moved = planApply(hostWith({}, { sshd: uses('/o.pub'), written }), layout, WANTED)
    expect(moved).toMatchObject({ kind: 'steps' })
  })
})

describe('planRemove', () => {
  test('the drop-in first, so that sshd never names a missing file', () => {
    expect(
      outline(planRemove(satisfied({}, { madeFolders: ['/var/lib/pomerium'] }), layout).steps),
    ).toEqual([
      `remove-file ${DROP_IN}`,
      'check-config',
      'restart-sshd',
      `remove-file ${CA}`,
      'remove-folder /var/lib/pomerium',
    ])
  })

  test('a fresh host: nothing', () => {
    expect(planRemove(hostWith(), layout)).toEqual({ steps: [], left: [] })
    expect(OURS).toContain('TrustedUserCAKeys')
  })
})

test('a link where adopt would put its drop-in is nobody’s to replace', () => {
  const link: FileState = { kind: 'other', what: 'symbolic link' }
  const host = hostWith({}, {}, { '/etc/ssh/sshd_config.d/00-pomerium-ca.conf': link })
  expect(planApply(host, layout, WANTED)).toMatchObject({ code: 'not-a-regular-file' })
})

import { describe, expect, test } from 'vitest'
import { parseBundle, renderCaKeys } from '../../../agent/core/bundle/bundle.ts'
import { composeBundle } from '../../../agent/core/bundle/compose.ts'
import { layoutOf } from '../../../agent/core/config/layout.ts'
import { renderDropIn } from '../../../agent/core/host/drop-in.ts'
import type { Observation } from '../../../agent/core/host/observation.ts'
import { invertStep } from '../../../agent/core/plan/invert-step.ts'
import { planApply } from '../../../agent/core/plan/plan.ts'
import { planRemove } from '../../../agent/core/plan/plan-remove.ts'
import type { Wanted } from '../../../agent/core/plan/wanted.ts'
import { diffBundles } from '../../../agent/core/trust/diff-bundles.ts'
import { acceptBundle } from '../../../agent/core/trust/trust.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import {
  CA,
  DROP_IN,
  file,
  hostWith,
  KEY,
  layout,
  MAIN,
  newCaKey,
  outline,
  satisfied,
  stepsOf,
  uses,
  WANTED,
} from './planned-host.ts'

const LIST = '/var/lib/pomerium/pomerium_revoked_user_ca_keys'
const INCLUDE = 'Include /etc/ssh/sshd_config.d/*.conf\n'
const DEAD = newCaKey()
const OTHER = newCaKey('p256')
const REVOKES = { ...WANTED, revoked: [DEAD] }
const ADOPTS = { ...REVOKES, conflict: 'adopt' as const }
const text = (...lines: string[]) => Buffer.from(lines.map(line => `${line}\n`).join(''))

describe('@revoked in a bundle', () => {
  const [one, two] = [newKeyLine('ed25519'), newKeyLine('p384')]

  test('anywhere among the keys, with blanks and a comment', () => {
    const bundle = parseBundle(text('# serial: 1', `@revoked\t ${two} the stolen one`, '', one))
    expect(bundle).toMatchObject({
      serial: 1,
      keys: [{ type: 'ssh-ed25519' }],
      revoked: [{ type: 'ecdsa-sha2-nistp384', comment: 'the stolen one' }],
    })
  })

  test('in lines of Windows too', () => {
    const bundle = parseBundle(Buffer.from(`${one}\r\n@revoked ${two} gone\r\n`))
    expect(bundle).toMatchObject({ keys: [{ comment: '' }], revoked: [{ comment: 'gone' }] })
  })

  test.each([
    ['named both ways', [one, two, `@revoked ${one}`], 'trusted-and-revoked', 3],
    ['the other way round', [`@revoked ${one}`, two, `${one} again`], 'trusted-and-revoked', 3],
    ['twice', [one, `@revoked ${two}`, `@revoked ${two}`], 'duplicate-key', 3],
    ['none that is trusted', [`@revoked ${one}`], 'empty', undefined],
    ['the marker alone', [one, '@revoked'], 'unknown-type', 2],
    ['another marker', [one, `@cert-authority ${two}`], 'option-prefix', 2],
    ['in other letters', [one, `@Revoked ${two}`], 'option-prefix', 2],
    ['as in known_hosts, with a host', [one, `@revoked * ${two}`], 'option-prefix', 2],
    ['glued to the type', [one, `@revoked${two}`], 'unknown-type', 2],
    ['twice marked', [one, `@revoked @revoked ${two}`], 'option-prefix', 2],
    ['a certificate', [one, '@revoked ssh-ed25519-cert-v01@openssh.com AAAA'], 'certificate', 2],
    ['no key', [one, '@revoked ssh-ed25519 AAAA'], 'type-mismatch', 2],
    [
      'too many',
      [one, ...Array.from({ length: 65 }, () => `@revoked ${newKeyLine('ed25519')}`)],
      'too-many-keys',
      66,
    ],
  ])('%s: refused with its line', (_, lines, code, line) => {
    const refused = parseBundle(text(...lines))
    expect(refused).toMatchObject({ kind: 'refused', code })
    expect('line' in refused ? refused.line : undefined).toBe(line)
  })

  test('composed as it is read, compared, and free of trust.fingerprints', () => {
    const composed = composeBundle({ serial: 3, keys: [KEY], revoked: [DEAD] })
    if (composed.kind === 'refused') throw new Error(composed.message)
    expect(composed.text).toContain(`\n@revoked ${DEAD.type} ${DEAD.base64}`)
    const plain = composeBundle({ serial: 3, keys: [KEY] })
    if (plain.kind === 'refused') throw new Error(plain.message)
    expect(diffBundles(plain.bundle, composed.bundle)).toMatchObject({
      unchanged: false,
      revoked: { added: [DEAD], removed: [], kept: [] },
    })
    const policy = { fingerprints: [KEY.fingerprint], signers: undefined }
    const bytes = Buffer.from(composed.text)
    expect(acceptBundle(bytes, undefined, policy, new Date())).toMatchObject({ kind: 'accepted' })
  })
})

/** A host that is as `REVOKES` wants it, but for what is given. */
const revoking = (more: Partial<Observation> = {}, list = renderCaKeys([DEAD])) => {
  const own = renderDropIn({ caFile: CA, revokedKeys: LIST })
  const shape = satisfied(
    { [DROP_IN]: file(own), [LIST]: file(list) },
    { sshd: uses(CA, `RevokedKeys ${LIST}\n`), written: [{ path: LIST, is: 'keys' }], ...more },
  )
  const texts = new Map([...shape.config.texts, [DROP_IN, own]])
  return { ...shape, config: { ...shape.config, texts } }
}
const steps = (host: Observation, wanted: Wanted = REVOKES) =>
  stepsOf(planApply(host, layout, wanted))

describe('the list of revoked keys', () => {
  test('is written before the directive that names it, and proved', () => {
    const plan = planApply(hostWith(), layout, REVOKES)
    expect(stepsOf(plan)).toEqual([
      'make-folder /var/lib/pomerium',
      `write-file ${CA}`,
      `write-file ${LIST}`,
      `write-file ${DROP_IN}`,
      'prove-trust',
      'restart-sshd',
    ])
    const proof = plan.kind === 'steps' && plan.steps.find(step => step.do === 'prove-trust')
    expect(proof).toMatchObject({ revokedKeys: [LIST] })
  })

  test('as it should be: nothing; another key in it: no restart', () => {
    expect(steps(revoking())).toEqual([])
    expect(steps(revoking(), { ...REVOKES, revoked: [DEAD, OTHER] })).toEqual([
      `write-file ${LIST}`,
      'prove-trust',
    ])
  })

  test('missing or damaged, it is put back and refuses nobody’s cycle', () => {
    for (const fault of [{ kind: 'missing' }, { kind: 'unreadable', why: 'is odd' }] as const) {
      const host = revoking({ revokedKeys: new Map([[LIST, fault]]) }, 'garbage\n')
      expect(steps(host)).toEqual([`write-file ${LIST}`, 'prove-trust'])
    }
  })

  test('goes after the restart', () => {
    const gone = [`write-file ${DROP_IN}`, 'prove-trust', 'restart-sshd', `remove-file ${LIST}`]
    expect(steps(revoking(), WANTED)).toEqual(gone)
    const removal = outline(planRemove(revoking(), layout).steps)
    expect(removal.indexOf('restart-sshd')).toBeLessThan(removal.indexOf(`remove-file ${LIST}`))
  })

  test('moves with sshd.ca_file: the new one before the directive, the old one behind the restart', () => {
    const moved = layoutOf({ caFile: '/srv/ca/ours.pub', dropIn: DROP_IN })
    const written = [CA, LIST].map(path => ({ path, is: 'keys' as const }))
    const host = revoking({ written })
    const files = new Map([...host.files, ['/srv/ca', { kind: 'missing' } as const]])
    const order = stepsOf(
      planApply({ ...host, files }, moved, { ...REVOKES, caFile: '/srv/ca/ours.pub' }),
    )
    const list = '/srv/ca/pomerium_revoked_user_ca_keys'
    const wanted = [
      `write-file ${list}`,
      `write-file ${DROP_IN}`,
      'restart-sshd',
      `remove-file ${LIST}`,
    ]
    expect(order.filter(step => wanted.includes(step))).toEqual(wanted)
  })

  test('at a former place it stays while others name it, or while sshd may have been started by hand', () => {
    const moved = layoutOf({ caFile: '/srv/ca/ours.pub', dropIn: DROP_IN })
    const wanted = { ...REVOKES, caFile: '/srv/ca/ours.pub' }
    const written = [CA, LIST].map(path => ({ path, is: 'keys' as const }))
    const content = Buffer.from(renderCaKeys([DEAD]))
    const host = revoking({ written, revokedLists: new Map([[LIST, { kind: 'list', content }]]) })
    const files = new Map([...host.files, ['/srv/ca', { kind: 'missing' } as const]])
    const texts = new Map([...host.config.texts, [MAIN, `${INCLUDE}RevokedKeys ${LIST}\n`]])
    const named = { ...host, files, config: { ...host.config, texts } }
    const plan = planApply(named, moved, wanted)
    expect(stepsOf(plan)).toContain(`remove-file ${CA}`)
    expect(stepsOf(plan)).not.toContain(`remove-file ${LIST}`)
    expect(plan).toMatchObject({ warnings: [expect.stringContaining(`${MAIN}:2 names it`)] })
    const stopped = {
      ...host,
      files,
      service: { kind: 'not-running', unit: 'ssh.service' },
    } as const
    expect(stepsOf(planApply(stopped, moved, wanted))).not.toContain(`remove-file ${LIST}`)
    for (const each of [named, { ...host, files, service: { kind: 'not-ours', why: 'no init' } }]) {
      const { steps: removal, left } = planRemove(each as Observation, moved)
      expect(outline(removal)).not.toContain(`remove-file ${LIST}`)
      expect(left).toMatchObject([{ written: { path: LIST } }])
    }
  })

  test('behind a socket too it goes after a restart: a connection may have started sshd meanwhile', () => {
    const idle = { kind: 'not-running', unit: 'ssh.service', socket: 'ssh.socket' } as const
    const host = revoking({ service: idle })
    expect(steps(host, WANTED).slice(-2)).toEqual(['restart-sshd', `remove-file ${LIST}`])
    const removal = outline(planRemove(host, layout).steps)
    expect(removal).toContain('restart-sshd')
    expect(removal.indexOf('restart-sshd')).toBeLessThan(removal.indexOf(`remove-file ${LIST}`))
    // So that what is undone has its restart too.
    expect(stepsOf(planApply(hostWith({}, { service: idle }), layout, REVOKES))).toContain(
      'restart-sshd',
    )
    expect(stepsOf(planApply(hostWith({}, { service: idle }), layout, WANTED))).not.toContain(
      'restart-sshd',
    )
  })

  test('gives its place back to what was found there', () => {
    const found = {
      content: Buffer.from('theirs\n').toString('base64'),
      mode: 0o644,
      uid: 0,
      gid: 0,
    }
    const host = revoking({ written: [{ path: LIST, is: 'keys', found }] })
    const plan = planApply(host, layout, WANTED)
    expect(plan.kind === 'steps' && plan.steps.at(-1)).toMatchObject({
      ...{ do: 'write-file', path: LIST, content: Buffer.from('theirs\n'), mode: 0o644 },
    })
  })

  /** The line that names the list was taken away by hand, and sshd may not have read that yet. */
  const unnamed = (more: Partial<Observation> = {}) => {
    const bare = renderDropIn({ caFile: CA })
    const host = revoking({ sshd: uses(CA), ...more })
    const files = new Map([...host.files, [DROP_IN, file(bare)]])
    const texts = new Map([...host.config.texts, [DROP_IN, bare]])
    return { ...host, files, config: { ...host.config, texts } }
  }

  test('goes by a restart, even where the line that named it was taken away by hand', () => {
    expect(steps(unnamed(), WANTED)).toEqual(['prove-trust', 'restart-sshd', `remove-file ${LIST}`])
    const files = new Map([...unnamed().files].filter(([path]) => path !== DROP_IN))
    const gone = { ...unnamed(), files }
    const removal = outline(planRemove(gone, layout).steps)
    expect(removal).toContain('restart-sshd')
    expect(removal.indexOf('restart-sshd')).toBeLessThan(removal.indexOf(`remove-file ${LIST}`))
  })

  test('stays where an sshd that we can not restart may go by it, and remove says so', () => {
    const host = unnamed({ service: { kind: 'not-ours', why: 'no init' } })
    expect(steps(host, WANTED)).toEqual([])
    const { steps: removal, left } = planRemove(host, layout)
    expect(outline(removal)).not.toContain(`remove-file ${LIST}`)
    expect(left).toMatchObject([
      { written: { path: LIST }, why: expect.stringContaining('no init') },
    ])
  })

  test('goes with the rest where the record is lost, as our drop-in names it', () => {
    const host = revoking({ written: [] })
    expect(outline(planRemove(host, layout).steps)).toContain(`remove-file ${LIST}`)
    const theirs = hostWith({}, { files: new Map([[LIST, file('their own\n')]]) })
    const found = new Map([[LIST, { content: '', mode: 0o600, uid: 0, gid: 0 }]])
    expect(outline(planRemove({ ...theirs, found }, layout).steps)).toEqual([])
  })

  test('stays while sshd may be one that was started by hand, or where we never wrote it', () => {
    const stopped = { service: { kind: 'not-running', unit: 'ssh.service' } } as const
    expect(steps(revoking(stopped), WANTED)).not.toContain(`remove-file ${LIST}`)
    expect(steps(revoking({ written: [] }), WANTED)).not.toContain(`remove-file ${LIST}`)
  })

  test('stays where others name it, and remove says so', () => {
    const host = revoking()
    const texts = new Map([...host.config.texts, [MAIN, `${INCLUDE}RevokedKeys ${LIST}\n`]])
    const named = { ...host, config: { ...host.config, texts } }
    const link = '/etc/ssh/revoked'
    const linked = new Map([...texts, [MAIN, `${INCLUDE}RevokedKeys ${link}\n`]])
    const byLink = { ...host, config: { ...host.config, texts: linked } }
    const listNames = new Map([[link, LIST]])
    expect(steps({ ...byLink, listNames }, WANTED)).not.toContain(`remove-file ${LIST}`)
    expect(steps(named, WANTED)).not.toContain(`remove-file ${LIST}`)
    const { steps: removal, left } = planRemove(named, layout)
    expect(outline(removal)).not.toContain(`remove-file ${LIST}`)
    expect(left).toMatchObject([{ written: { path: LIST }, why: expect.stringContaining(MAIN) }])
  })

  test('undone, a list that was not there goes as one that sshd may need', () => {
    const plan = planApply(hostWith(), layout, REVOKES)
    const write =
      plan.kind === 'steps' && plan.steps.find(each => outline([each])[0]?.endsWith(LIST))
    if (!write) throw new Error('no such step')
    expect(invertStep(write, { kind: 'missing' })).toEqual([
      { do: 'remove-file', path: LIST, vital: true, why: 'undone' },
    ])
  })

  test('is for all, whatever the CA is trusted for', () => {
    const scoped = renderDropIn({ caFile: CA, acceptFrom: ['192.0.2.0/24'], revokedKeys: LIST })
    expect(scoped.indexOf('RevokedKeys')).toBeLessThan(scoped.indexOf('Match'))
  })
})

describe('RevokedKeys of another owner', () => {
  const theirs = '/etc/ssh/revoked'
  const hostOf = (config: Record<string, string>, more: Partial<Observation> = {}) =>
    hostWith(config, {
      revokedLists: new Map([
        [theirs, { kind: 'list', content: Buffer.from(`${OTHER.type} ${OTHER.base64} x\n`) }],
      ]),
      ...more,
    })
  const main = { [MAIN]: `${INCLUDE}RevokedKeys ${theirs}\n` }
  const listOf = (host: Observation) => {
    const plan = planApply(host, layout, ADOPTS)
    if (plan.kind !== 'steps') return plan.code
    const write = plan.steps.find(step => 'path' in step && step.path === LIST)
    return write?.do === 'write-file' ? write.content.toString() : undefined
  }

  test.each([
    ['behind ours', main, {}],
    ['before ours', { '/etc/ssh/sshd_config.d/00-x.conf': `RevokedKeys ${theirs}\n` }, {}],
    ['none, before ours', { '/etc/ssh/sshd_config.d/00-x.conf': 'RevokedKeys none\n' }, {}],
    ['on the command line', {}, { commandLine: [`RevokedKeys=${theirs}`] }],
    ['in a Match', { [MAIN]: `${INCLUDE}Match User bob\nRevokedKeys ${theirs}\n` }, {}],
  ])('%s: refused', (_, config, more) => {
    expect(planApply(hostOf(config, more), layout, REVOKES)).toMatchObject({
      code: 'foreign-revoked-keys',
    })
    // What revokes nothing meets nobody.
    expect(planApply(hostOf(config, more), layout, WANTED)).toMatchObject({ kind: 'steps' })
  })

  test('adopted: both lists in one, ours first, and theirs outranked', () => {
    expect(listOf(hostOf(main))).toBe(`${renderCaKeys([DEAD])}${OTHER.type} ${OTHER.base64}\n`)
    const early = hostOf({ '/etc/ssh/sshd_config.d/00-x.conf': `RevokedKeys ${theirs}\n` })
    expect(steps(early, ADOPTS)).toContain('write-file /etc/ssh/sshd_config.d/00-pomerium-ca.conf')
  })

  test.each([
    ['a KRL', { revokedLists: new Map([[theirs, { kind: 'krl' }]]) }],
    ['one that was not seen', { revokedLists: new Map() }],
    ['one that is missing', { revokedKeys: new Map([[theirs, { kind: 'missing' }]]) }],
    [
      'a huge one',
      { revokedLists: new Map([[theirs, { kind: 'list', content: Buffer.alloc(300_000, '#') }]]) },
    ],
  ] as [string, Partial<Observation>][])('%s is not united with', (_, more) => {
    expect(listOf(hostOf(main, more))).toBe('revoked-keys-not-united')
  })

  const content = Buffer.from(`${DEAD.type} ${DEAD.base64}\n`)
  const covering: Partial<Observation> = {
    revokedLists: new Map([[theirs, { kind: 'list', content }]]),
  }
  const proofOf = (host: Observation, wanted = REVOKES) => {
    const plan = planApply(host, layout, wanted)
    return plan.kind === 'steps' && plan.steps.find(step => step.do === 'prove-trust')
  }

  test.each(['User bob', 'all'])('in Match %s, with all our keys in it: no harm', scope => {
    const config = { [MAIN]: `${INCLUDE}Match ${scope}\nRevokedKeys ${theirs}\n` }
    expect(proofOf(hostOf(config, covering))).toMatchObject({ revokedKeys: [LIST, theirs] })
  })

  test('for everybody, with all our keys in it: it stays, and ours is not named', () => {
    const host = hostOf(main, covering)
    const plan = planApply(host, layout, REVOKES)
    const written = plan.kind === 'steps' ? plan.steps : []
    expect(outline(written)).toContain(`write-file ${LIST}`)
    const dropIn = written.find(step => 'path' in step && step.path === DROP_IN)
    expect(dropIn?.do === 'write-file' && dropIn.content.toString()).not.toContain('RevokedKeys')
    expect(proofOf(host)).toMatchObject({ revokedKeys: [LIST, theirs] })
    // With one of them missing there, it would win over ours.
    expect(proofOf(host, { ...REVOKES, revoked: [DEAD, OTHER] })).toBe(false)
    // Who adopts has both in one.
    expect(listOf(host)).toBe(renderCaKeys([DEAD]))
  })
})

describe('CA files of others that name a revoked key', () => {
  const theirs = '/etc/ssh/theirs.pub'
  const read = (...keys: (typeof KEY)[]) =>
    ({
      foreignCaFiles: new Map([
        [theirs, { kind: 'read', path: theirs, content: Buffer.from(renderCaKeys(keys)) }],
      ]),
    }) satisfies Partial<Observation>

  test('adopting never takes it', () => {
    const config = { [MAIN]: `${INCLUDE}TrustedUserCAKeys ${theirs}\n` }
    const plan = planApply(hostWith(config, read(DEAD, OTHER)), layout, ADOPTS)
    expect(plan).toMatchObject({
      adopted: [{ fingerprint: OTHER.fingerprint }],
      warnings: [expect.stringContaining(`${theirs}:1: ${DEAD.fingerprint} is revoked`)],
    })
  })

  test.each([
    ['none but revoked ones: passed over', 'Match User bob', [DEAD], undefined],
    ['another beside it', 'Match User bob', [DEAD, OTHER], 'foreign-ca'],
    ['for everybody', 'Match all', [DEAD], 'foreign-ca'],
  ])('in a Match, %s', (_, scope, keys, code) => {
    const config = { [MAIN]: `${INCLUDE}${scope}\nTrustedUserCAKeys ${theirs}\n` }
    const plan = planApply(hostWith(config, read(...keys)), layout, REVOKES)
    expect('code' in plan ? plan.code : undefined).toBe(code)
    if (code !== undefined) return
    expect(plan).toMatchObject({ warnings: [expect.stringContaining(`${MAIN}:3`)] })
  })
})

// Hosts that were set up by hand: whose keys a line trusts decides what becomes of it.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Found } from '../../../agent/core/host/found-files.ts'
import type { ForeignCaFile, Observation } from '../../../agent/core/host/observation.ts'
import { writtenAfter } from '../../../agent/core/host/written-files.ts'
import { planApply } from '../../../agent/core/plan/plan.ts'
import { planRemove } from '../../../agent/core/plan/plan-remove.ts'
import type { Wanted } from '../../../agent/core/plan/wanted.ts'
import {
  CA,
  DROP_IN,
  file,
  hostWith,
  KEY,
  layout,
  MAIN,
  newCaKey,
  satisfied,
  stepsOf,
  uses,
  WANTED,
} from '../plan/planned-host.ts'

const INCLUDE = 'Include /etc/ssh/sshd_config.d/*.conf\n'
const HAND = '/etc/ssh/sshd_config.d/50-pomerium.conf'
const FIRST = '/etc/ssh/sshd_config.d/00-pomerium-ca.conf'
const FILE = '/etc/pomerium/pomerium_user_ca_key.pub'
const LINE = `TrustedUserCAKeys ${FILE}\n`
const [OLD, STRANGE] = [newCaKey(), newCaKey()]
const SCOPED: Wanted = { ...WANTED, acceptFrom: ['192.0.2.0/24'] }
const ADOPT: Wanted = { ...WANTED, conflict: 'adopt' }
/** This host had it from an earlier bundle. */
const ROTATED = (wanted: Wanted): Wanted => ({ ...wanted, published: [OLD.fingerprint] })

type Key = typeof KEY
const text = (...keys: Key[]) => keys.map(({ type, base64 }) => `${type} ${base64}\n`).join('')
const read = (...keys: Key[]): ForeignCaFile => ({
  kind: 'read',
  path: FILE,
  content: Buffer.from(text(...keys)),
})
const naming = (keys: ForeignCaFile, shape: Partial<Observation> = {}) => ({
  sshd: uses(FILE),
  foreignCaFiles: new Map([[FILE, keys]]),
  ...shape,
})
const plan = (host: Observation, wanted: Wanted = WANTED) => planApply(host, layout, wanted)
const at = (file: string, line: number) => ({ file, line })
const written = (host: Observation, wanted: Wanted = WANTED) =>
  stepsOf(plan(host, wanted)).filter(step => step.startsWith('write-file'))
const contents = (host: Observation, path: string, wanted: Wanted = WANTED) => {
  const made = plan(host, wanted)
  const step =
    made.kind === 'steps' && made.steps.find(each => 'path' in each && each.path === path)
  return step && step.do === 'write-file' ? step.content.toString() : undefined
}

describe('a line whose file holds only keys of ours is taken over', () => {
  test.each<[string, Record<string, string>, { file: string; line: number }, string[]]>([
    ['an earlier drop-in', { [HAND]: LINE }, at(HAND, 1), [FIRST]],
    [
      'a later one',
      { '/etc/ssh/sshd_config.d/zz.conf': LINE },
      at('/etc/ssh/sshd_config.d/zz.conf', 1),
      [],
    ],
    ['quoted', { [HAND]: `\nTrustedUserCAKeys "${FILE}"\n` }, at(HAND, 2), [FIRST]],
    ['the first line of sshd_config', { [MAIN]: `${LINE}${INCLUDE}` }, at(MAIN, 1), [MAIN]],
    ['its last line', { [MAIN]: `${INCLUDE}UsePAM yes\n${LINE}` }, at(MAIN, 3), []],
  ])('%s', (_, texts, place, outranking) => {
    for (const keys of [[KEY], [OLD], [KEY, OLD]]) {
      const host = hostWith(texts, naming(read(...keys)))
      const wanted = ROTATED(WANTED)
      expect(plan(host, wanted)).toMatchObject({ tookOver: [place], warnings: [], adopted: [] })
      expect(written(host, wanted)).toEqual(
        [CA, DROP_IN, ...outranking].map(path => `write-file ${path}`),
      )
      expect(contents(host, CA, wanted)).toBe(text(KEY))
    }
  })

  test('an old key is a stranger’s on a host that never had it', () => {
    const host = hostWith({ [HAND]: LINE }, naming(read(OLD)))
    expect(plan(host)).toMatchObject({ kind: 'host-refused', code: 'foreign-ca' })
  })

  test('once outranked, a file that is emptied or gone is nobody’s; before, it tells nothing', () => {
    const gone: ForeignCaFile = { kind: 'unreadable', why: 'it is missing', missing: true }
    for (const keys of [read(), gone]) {
      const host = (used: string) => hostWith({ [HAND]: LINE }, naming(keys, { sshd: uses(used) }))
      expect(plan(host(CA))).toMatchObject({ kind: 'steps', tookOver: [at(HAND, 1)] })
      expect(plan(host(FILE))).toMatchObject({ code: 'foreign-ca' })
    }
    const folder: ForeignCaFile = { kind: 'unreadable', why: 'it is a folder' }
    const host = hostWith({ [HAND]: LINE }, naming(folder, { sshd: uses(CA) }))
    expect(plan(host)).toMatchObject({
      code: 'foreign-ca',
      message: expect.stringContaining('it is a folder'),
    })
  })

  test('accept_from: nothing that others set at global scope counts any more', () => {
    const host = hostWith({ [HAND]: LINE }, naming(read(KEY)))
    expect(plan(host, SCOPED)).toMatchObject({ tookOver: [at(HAND, 1)] })
    for (const path of [DROP_IN, FIRST]) {
      expect(contents(host, path, SCOPED)).toMatch(
        /\nTrustedUserCAKeys none\nMatch Address 192\.0\.2\.0\/24\n {4}TrustedUserCAKeys \S+\n$/,
      )
    }
    // Nobody else's is shut out.
    expect(contents(hostWith(), DROP_IN, SCOPED)).not.toContain('none')
    const stranger = hostWith({ [HAND]: LINE }, naming(read(STRANGE)))
    expect(contents(stranger, DROP_IN, { ...SCOPED, conflict: 'adopt' })).not.toContain('none')
  })
})

describe('a file with any other key', () => {
  const host = hostWith({ [HAND]: LINE }, naming(read(KEY, STRANGE)))

  test('is refused, with which are strange and which are ours', () => {
    expect(plan(host)).toMatchObject({
      code: 'foreign-ca',
      message: expect.stringContaining(
        `no bundle on this host has named ${STRANGE.fingerprint}; ours in it: ${KEY.fingerprint};`,
      ),
    })
  })

  test('of many strangers some are named', () => {
    const many = Array.from({ length: 9 }, () => newCaKey())
    const crowded = hostWith({ [HAND]: LINE }, naming(read(...many)))
    expect(plan(crowded)).toMatchObject({ message: expect.stringContaining(' and 5 more') })
  })

  test('adopted: the strange ones, and never one of ours', () => {
    const mixed = hostWith({ [HAND]: LINE }, naming(read(OLD, STRANGE, KEY)))
    const made = plan(mixed, ROTATED(ADOPT))
    expect(made).toMatchObject({ tookOver: [], adopted: [{ fingerprint: STRANGE.fingerprint }] })
    expect(contents(mixed, CA, ROTATED(ADOPT))).toBe(text(KEY, STRANGE))
  })

  test('adopted with accept_from, it would trust ours from anywhere', () => {
    expect(plan(host, { ...ADOPT, ...SCOPED, conflict: 'adopt' })).toMatchObject({
      code: 'shadowed',
      message: expect.stringContaining(`ours in it: ${KEY.fingerprint}`),
    })
  })

  test('one line of several is enough', () => {
    const zz = '/etc/ssh/sshd_config.d/zz.conf'
    const files = new Map([
      [FILE, read(KEY)],
      ['/o.pub', read(STRANGE)],
    ])
    const two = hostWith(
      { [HAND]: LINE, [zz]: 'TrustedUserCAKeys /o.pub\n' },
      naming(read(), { foreignCaFiles: files }),
    )
    expect(plan(two)).toMatchObject({ message: expect.stringContaining(`${zz}:1`) })
  })
})

describe('a line within a Match', () => {
  const texts = { [HAND]: `Match User bob\n    ${LINE}` }
  const host = hostWith(texts, naming(read(KEY), { sshd: uses('none') }))

  test('is left, and said to be: before a rotation, and after', () => {
    const place = new RegExp(`${HAND}:2 .*Match User bob.* after a rotation the old key still`)
    expect(plan(host)).toMatchObject({ tookOver: [], warnings: [expect.stringMatching(place)] })
    const after = hostWith(texts, naming(read(OLD), { sshd: uses(CA) }))
    expect(plan(after, ROTATED(WANTED))).toMatchObject({
      warnings: [
        expect.stringContaining(
          `${OLD.fingerprint}, which the bundle no longer names, still logs in`,
        ),
      ],
    })
  })

  test('of our own file by another name nothing is to be said', () => {
    const alias = hostWith(texts, naming({ kind: 'ours' }, { sshd: uses('none') }))
    expect(plan(alias)).toMatchObject({ kind: 'steps', warnings: [] })
  })

  test('of a file that is gone nothing can be told, whatever sshd goes by elsewhere', () => {
    const gone: ForeignCaFile = { kind: 'unreadable', why: 'it is missing', missing: true }
    const missing = hostWith(texts, naming(gone, { sshd: uses(CA) }))
    expect(plan(missing)).toMatchObject({ code: 'foreign-ca' })
  })

  test('is refused where accept_from is to hold, where it holds for all, and with a stranger', () => {
    expect(plan(host, SCOPED)).toMatchObject({ code: 'shadowed' })
    const all = hostWith({ [HAND]: `Match all\n    ${LINE}` }, naming(read(KEY)))
    expect(plan(all)).toMatchObject({ code: 'foreign-ca' })
    const mixed = hostWith(texts, naming(read(KEY, STRANGE)))
    expect(plan(mixed)).toMatchObject({
      code: 'foreign-ca',
      message: expect.stringContaining(`ours in it: ${KEY.fingerprint}`),
    })
  })
})

describe('what was found by our own names', () => {
  const found = (content: string, mode = 0o644, uid = 1000): Found => ({
    content: Buffer.from(content).toString('base64'),
    ...{ mode, uid, gid: 0 },
  })
  const OWN = `TrustedUserCAKeys ${CA}\n`
  const hostFound = (keys: Key[]) =>
    hostWith(
      { [DROP_IN]: OWN, [CA]: text(...keys) },
      {
        sshd: uses(CA),
        found: new Map([
          [CA, found(text(...keys))],
          [DROP_IN, found(OWN)],
        ]),
      },
      { [CA]: file(text(...keys), 0o644, 1000), [DROP_IN]: file(OWN, 0o644, 1000) },
    )

  test('is taken over, and each file remembered', () => {
    const host = hostFound([KEY])
    const made = plan(host)
    expect(made).toMatchObject({ tookOver: [at(DROP_IN, 1)] })
    const steps = made.kind === 'steps' ? made.steps : []
    expect(steps.filter(step => step.do === 'write-file')).toMatchObject([
      { path: CA, mode: 0o600, uid: 0, found: true },
      { path: DROP_IN, mode: 0o600, uid: 0, found: true },
    ])
    const now = [CA, DROP_IN].map(path => ({ path, is: path === CA ? 'keys' : 'config' }) as const)
    const record = writtenAfter([], steps, now, host.found)
    expect(record.map(each => each.found)).toEqual([found(text(KEY)), found(OWN)])
    // And for good, whatever is written later.
    expect(writtenAfter(record, [], now, new Map())).toEqual(record)
    const removal = planRemove(satisfied({}, { written: record }), layout)
    expect(removal.steps.filter(step => step.do === 'write-file')).toMatchObject([
      { path: DROP_IN, content: Buffer.from(OWN), mode: 0o644, uid: 1000 },
      { path: CA, content: Buffer.from(text(KEY)), mode: 0o644, uid: 1000 },
    ])
  })

  test('is refused with a stranger’s key in it; there is no other file to adopt it from', () => {
    const host = hostFound([KEY, STRANGE])
    const message = expect.stringContaining(STRANGE.fingerprint)
    expect(plan(host)).toMatchObject({ code: 'foreign-ca', message })
    expect(plan(host, ADOPT)).toMatchObject({ code: 'foreign-ca', message })
  })

  test('must fit into the record', () => {
    const large = found(`${'#'.repeat(65_536)}\n`)
    const host = hostWith({}, { found: new Map([[CA, large]]) })
    expect(plan(host)).toMatchObject({ code: 'not-a-regular-file' })
  })

  test('is left by a remove that comes before any apply', () => {
    expect(planRemove(hostFound([KEY]), layout)).toEqual({ steps: [], left: [] })
  })

  test('by the name that sorts first: the other name is taken', () => {
    const host = hostWith(
      { [FIRST]: LINE },
      naming(read(KEY), { found: new Map([[FIRST, found(LINE)]]) }),
    )
    const before = '/etc/ssh/sshd_config.d/0-pomerium-ca.conf'
    expect(written(host)).toEqual([CA, DROP_IN, before].map(path => `write-file ${path}`))
    expect(stepsOf(plan(host))).not.toContain(`remove-file ${FIRST}`)
  })
})

test('whatever lines and keys there are: no stranger is displaced, and no key outlives the bundle', () => {
  const keys = fc.subarray([KEY, OLD, STRANGE], { minLength: 1 })
  const names = ['00-a.conf', '50-b.conf', 'zz-c.conf']
  const lines = fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), keys }), {
    selector: ({ name }) => name,
  })
  fc.assert(
    fc.property(lines, fc.boolean(), fc.boolean(), (all, adopts, isScoped) => {
      const texts = all.map(({ name }) => [
        `/etc/ssh/sshd_config.d/${name}`,
        `TrustedUserCAKeys /keys/${name}\n`,
      ])
      const files = all.map(({ name, keys }) => [`/keys/${name}`, read(...keys)] as const)
      const host = hostWith(Object.fromEntries(texts), { foreignCaFiles: new Map(files) })
      const wanted = ROTATED({
        ...(isScoped ? SCOPED : WANTED),
        conflict: adopts ? 'adopt' : 'refuse',
      })
      const made = plan(host, wanted)
      const [inForce] = all.toSorted((a, b) => (a.name < b.name ? -1 : 1))
      const strangers = all.filter(each => each.keys.includes(STRANGE))
      const isStrange = inForce?.keys.includes(STRANGE) ?? false
      const isWide = isScoped && isStrange && (inForce?.keys.length ?? 0) > 1
      expect(made.kind).toBe((adopts ? isWide : strangers.length > 0) ? 'host-refused' : 'steps')
      if (made.kind !== 'steps') return
      expect(made.tookOver).toHaveLength(all.length - strangers.length)
      expect(contents(host, CA, wanted)).toBe(text(KEY, ...(isStrange ? [STRANGE] : [])))
    }),
    { numRuns: 40 },
  )
})

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { census } from '../../../agent/publisher/rotate/census.ts'
import type { End } from '../../../agent/publisher/rotate/drive.ts'
import { advance, missing } from '../../../agent/publisher/rotate/rotation.ts'
import { readState, type State, writeState } from '../../../agent/publisher/rotate/state-file.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { FIRST } from '../serve/with-server.ts'
import { beginIn, Killed, lockedOut, makeWorld, NEW, OLD, run, type World } from './world.ts'

const NAMES = ['a', 'b', 'c', 'd']

/** The operator: reads where it stands, does what it says, calls again; killed or not. */
async function operate(world: World): Promise<{ ends: End['kind'][]; end: End }> {
  const ends: End['kind'][] = []
  let orders = { switched: false, proved: false }
  for (;;) {
    let end: End
    try {
      end = await run(world, orders)
    } catch (error) {
      if (error instanceof Killed) continue
      throw error
    }
    ends.push(end.kind)
    if (end.kind === 'done' || ends.length > 9) return { ends, end }
    if (end.kind === 'switch') {
      world.signing = NEW.fingerprint
      orders = { ...orders, switched: true }
    }
    if (end.kind !== 'hosts-missing') continue
    const absent = missing(end.rotation, end.phase)
    // Who was left behind comes back, and is not forgotten.
    if (end.phase === 'both') leave(world, absent)
    else for (const name of absent) come(world, name)
  }
}

function leave(world: World, hosts: readonly string[]): void {
  const state = readState(world.stateFile) as State
  const rotation = advance(state.rotation, { what: 'left-behind', hosts }, new Date(0))
  writeState(world.stateFile, { ...state, rotation })
}

function come(world: World, name: string): void {
  const host = world.hosts.get(name)
  if (host !== undefined) host.reachable = true
}

const served = (world: World) => readFileSync(world.file, 'utf8')

test('both, then the switch, then new alone; nobody is locked out at any instant', async () => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, NAMES)
  await beginIn(world, 'planned')
  const first = await run(world)
  expect(first.kind).toBe('switch')
  expect(served(world)).toContain('# serial: 7')
  for (const { holds } of world.hosts.values()) {
    expect(holds).toMatchObject({ fingerprints: [OLD.fingerprint, NEW.fingerprint], serial: 7 })
  }
  // Said to be switched, and not: the login shows the old CA, and nothing is taken away.
  const early = await run(world, { switched: true, proved: false })
  expect(early).toMatchObject({ kind: 'prove', why: 'another CA' })
  expect(served(world)).toContain('# serial: 7')
  world.signing = NEW.fingerprint
  expect((await run(world)).kind).toBe('done')
  expect(served(world)).toContain('# serial: 8')
  for (const { holds } of world.hosts.values())
    expect(holds.fingerprints).toEqual([NEW.fingerprint])
  expect(world.troubles).toEqual([])
  expect((await run(world)).kind).toBe('done')
})

test('stops while a host is missing, and goes on without it only when told', async () => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, NAMES, ['b', 'd'])
  await beginIn(world, 'planned')
  const absent = async () => {
    const end = await run(world)
    return end.kind === 'hosts-missing' ? missing(end.rotation, end.phase) : end.kind
  }
  expect(await absent()).toEqual(['b', 'd'])
  leave(world, ['b'])
  expect(await absent()).toEqual(['d'])
  come(world, 'd')
  expect((await run(world)).kind).toBe('switch')
  const { rotation } = readState(world.stateFile) as State
  expect(rotation.leftBehind).toEqual(['b'])
  expect(rotation.confirmed.both).toEqual(['a', 'c', 'd'])
})

/** A rotation for each effect, some forty, each with its files written and synced. */
const KILLS_MS = 120_000

test(
  'killed at every effect, before it and behind it, it ends the same',
  async () => {
    const texts = new Set<string>()
    let kills = 0
    for (let killAt = 1; ; killAt += 1) {
      await using folder = await tempDir()
      const world = makeWorld(folder.path, NAMES, ['c'])
      await beginIn(world, 'planned')
      world.killAt = killAt
      const { ends, end } = await operate(world)
      expect(ends).toEqual(['hosts-missing', 'switch', 'hosts-missing', 'done'])
      expect(end.rotation).toMatchObject({
        leftBehind: ['c'],
        confirmed: { both: ['a', 'b', 'd'] },
      })
      expect(end.rotation.confirmed.new).toHaveLength(4)
      expect(world.troubles).toEqual([])
      texts.add(served(world))
      if (world.effects < killAt) break
      kills += 1
    }
    expect(kills).toBeGreaterThan(20)
    expect(texts.size).toBe(1)
  },
  KILLS_MS,
)

test(
  'compromised: the old key goes first, and what that breaks is known',
  async () => {
    let kills = 0
    for (let killAt = 1; ; killAt += 1) {
      await using folder = await tempDir()
      const world = makeWorld(folder.path, NAMES, ['c'])
      await beginIn(world, 'compromised')
      world.killAt = killAt
      const { ends } = await operate(world)
      expect(ends).toEqual(['switch', 'hosts-missing', 'done'])
      for (const { holds } of world.hosts.values()) {
        expect(holds.fingerprints).toEqual([NEW.fingerprint])
      }
      expect(served(world)).toContain(`@revoked ${OLD.type} ${OLD.base64}`)
      expect(lockedOut(world)).toEqual([])
      if (world.effects < killAt) break
      kills += 1
    }
    expect(kills).toBeGreaterThan(10)
  },
  KILLS_MS,
)

test.each(['planned', 'compromised'] as const)(
  '%s: not done while one trusts the old key, left behind or not',
  async order => {
    await using folder = await tempDir()
    const world = makeWorld(folder.path, NAMES, ['c'])
    // Its file of CAs has another owner, who names the old key too.
    const adopting = world.hosts.get('b')
    if (adopting !== undefined) adopting.adopted = OLD.fingerprint
    await beginIn(world, order)
    leave(world, ['c'])
    expect((await run(world)).kind).toBe('switch')
    world.signing = NEW.fingerprint
    const orders = { switched: true, proved: false }
    for (const _ of [1, 2]) {
      const end = await run(world, orders)
      expect(end).toMatchObject({ kind: 'hosts-missing', phase: 'new' })
      const standings = end.kind === 'hosts-missing' ? census(end.rotation, 'new', end.reports) : []
      expect(standings.map(({ host, state, code }) => [host, state, code])).toEqual([
        ['a', 'converged', undefined],
        ['b', 'failed', 'old-key-trusted'],
        ['c', 'unreachable', 'no-route'],
        ['d', 'converged', undefined],
      ])
      expect(missing(end.rotation, 'new')).toEqual(['b', 'c'])
      leave(world, ['b', 'c'])
    }
    come(world, 'c')
    expect((await run(world)).kind).toBe('hosts-missing')
    if (adopting !== undefined) delete adopting.adopted
    expect((await run(world)).kind).toBe('done')
  },
)

test('compromised: each call before the switch is one more try', async () => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, NAMES, ['c'])
  await beginIn(world, 'compromised')
  const first = await run(world)
  expect(first).toMatchObject({ kind: 'switch', reports: { length: 4 } })
  const second = await run(world)
  expect(second).toMatchObject({ kind: 'switch', reports: [{ host: 'c', state: 'unreachable' }] })
  expect(missing(second.rotation, 'new')).toEqual(['c'])
  come(world, 'c')
  const third = await run(world)
  expect([third.kind, missing(third.rotation, 'new')]).toEqual(['switch', []])
})

test('what somebody else has published meanwhile is not thrown away', async () => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, NAMES)
  await beginIn(world, 'planned')
  const theirs = `# serial: 9\n${FIRST}\n`
  writeFileSync(world.file, theirs)
  expect(await run(world)).toMatchObject({ kind: 'publish-failed' })
  expect(served(world)).toBe(theirs)
})

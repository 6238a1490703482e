import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  advance,
  type Happening,
  missing,
  nextAction,
  type Order,
  type Rotation,
} from '../../../agent/publisher/rotate/rotation.ts'

const HOSTS = ['a', 'b', 'c']

function fresh(order: Order): Rotation {
  const edition = (serial: number) => ({ text: `# serial: ${serial}\n`, serial, fingerprints: [] })
  return {
    order,
    step: order === 'planned' ? 'publish-both' : 'publish-new',
    editions: { ...(order === 'planned' ? { both: edition(1) } : {}), new: edition(2) },
    before: '',
    old: ['SHA256:old'],
    hosts: HOSTS,
    confirmed: { both: [], new: [] },
    beside: [],
    leftBehind: [],
    history: [],
  }
}

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(
    { what: 'published' },
    { what: 'all-asked' },
    { what: 'switched' },
    { what: 'proved', how: 'operator' },
  ),
  fc.record({
    what: fc.constant('host-confirmed' as const),
    phase: fc.constantFrom('both' as const, 'new' as const),
    host: fc.constantFrom(...HOSTS),
    trusted: fc.constant([]),
  }),
  fc.record({
    what: fc.constant('left-behind' as const),
    hosts: fc.subarray(HOSTS, { maxLength: 1 }),
  }),
)

test('whatever comes in whatever order, the old key goes last', () => {
  let finished = 0
  fc.assert(
    fc.property(fc.array(happenings, { size: 'max', minLength: 50, maxLength: 300 }), list => {
      let rotation = fresh('planned')
      const said = new Set<string>()
      for (const happening of list) {
        try {
          rotation = advance(rotation, happening, new Date(0))
          if (rotation.step !== 'publish-both' || happening.what === 'left-behind') {
            said.add(happening.what)
          }
        } catch {
          continue
        }
        const action = nextAction(rotation)
        const newAlone = action.do === 'publish' && action.edition.serial === 2
        if (action.do === 'switch') expect(missing(rotation, 'both')).toEqual([])
        if (newAlone) {
          expect(missing(rotation, 'both')).toEqual([])
          expect([said.has('switched'), said.has('proved')]).toEqual([true, true])
        }
        if (rotation.step === 'done') {
          expect(missing(rotation, 'new')).toEqual([])
          finished += 1
        }
      }
    }),
    { numRuns: 500 },
  )
  expect(finished).toBeGreaterThan(0)
})

test('compromised: the first thing is new alone, and nobody is waited for before the switch', () => {
  let rotation = fresh('compromised')
  expect(nextAction(rotation)).toMatchObject({ do: 'publish', edition: { serial: 2 } })
  rotation = advance(rotation, { what: 'published' }, new Date(0))
  expect(nextAction(rotation)).toMatchObject({ do: 'confirm', phase: 'new', needed: false })
  rotation = advance(rotation, { what: 'all-asked' }, new Date(0))
  expect(nextAction(rotation)).toEqual({ do: 'switch' })
})

test('nobody is left behind who is not in it', () => {
  const stranger: Happening = { what: 'left-behind', hosts: ['z'] }
  expect(() => advance(fresh('planned'), stranger, new Date(0))).toThrow('no host "z"')
})

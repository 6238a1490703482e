import { expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { hintedCycles } from '../../../agent/daemon/cycle/hinted-cycles.ts'
import type { CycleEnd } from '../../../agent/daemon/cycle/run-cycle.ts'

const OUTCOME: Outcome = { outcome: 'unchanged', message: '', steps: [], trusted: [] }
const END: CycleEnd = { outcome: OUTCOME, quiet: true }

function recorded() {
  const done: string[] = []
  const daemon = hintedCycles({
    async cycle(hinted) {
      done.push(hinted ? 'cycle, hinted' : 'cycle')
      return END
    },
    async repair() {
      done.push('repair')
      return END
    },
    onEnd: (_, hint) => done.push(`end: ${hint}`),
    onError: error => done.push(`${error}`),
  })
  return { daemon, done }
}

test.each([
  ['start', 'cycle'],
  ['timer', 'cycle'],
  ['long-poll', 'cycle'],
  ['webhook', 'cycle, hinted'],
  ['drift', 'repair'],
] as const)('%s: %s', async (hint, work) => {
  const { daemon, done } = recorded()
  await daemon.hint(hint)
  expect(done).toEqual([work, `end: ${hint}`])
})

test('drift is seen to by itself, also where the source is looked at in the same turn', async () => {
  const { daemon, done } = recorded()
  const first = daemon.hint('timer')
  await Promise.all([first, daemon.hint('drift'), daemon.hint('webhook')])
  expect(done.slice(2)).toEqual(['repair', 'end: drift', 'cycle, hinted', 'end: webhook'])
})

import { expect, test } from 'vitest'
import { runOperatorCommand } from '../../../agent/publisher/rotate/operator-command.ts'

// As an ssh does that stays behind as a master; it would hold us up for as long as it stays.
const STAYS = '(sleep 60 &)'
const hidden = { shown: false }

test.each([
  ['that ends well', 'echo out; echo err >&2', undefined],
  ['that fails', 'echo out; echo err >&2; exit 3', 'failed (exit code 3)'],
])(
  'a command %s, and leaves a process behind',
  async (_, command, failure) => {
    const ended = await runOperatorCommand(`${STAYS}; ${command}`, {}, hidden)
    expect(ended).toMatchObject({ stderr: 'err', failure })
    expect(ended.all).toContain('out')
  },
  10_000,
)

test('one that does not end is not waited for longer, pipes or not', async () => {
  const ended = await runOperatorCommand('sleep 60 | cat', {}, { ...hidden, patienceMs: 200 })
  expect(ended.failure).toMatch('did not end')
}, 10_000)

test('it has what it is told of in its environment', async () => {
  const { all } = await runOperatorCommand('echo "$WORD"', { WORD: 'a "b" $c' }, hidden)
  expect(all).toBe('a "b" $c')
})

import { expect, test } from 'vitest'
import { renderProgress } from '../../../agent/cli/operator/progress.ts'

type Standing = NonNullable<ReturnType<Parameters<typeof renderProgress>[0]['get']>>

const standings = (...hosts: [string, Standing | undefined][]) => renderProgress(new Map(hosts))

test('the hosts that are awaited are named: not those that have come, nor those that said no', () => {
  const line = standings(
    ['a.example', 'converged'],
    ['b.example', 'waiting'],
    ['c.example', 'unreachable'],
    ['d.example', 'failed'],
    ['e.example', undefined],
  )
  expect(line).toMatch(/ 1\/5, 1 waiting, 1 unreachable, 1 failed: b.example \+2$/)
  expect(standings(['a', 'converged'], ['b', 'waiting'])).toMatch(/ 1\/2, 1 waiting: b$/)
})

test('the line ends within 80 columns, with whole names, or none', () => {
  for (const length of [1, 10, 40, 41, 42, 43, 44, 80, 200]) {
    for (const count of [1, 2, 50]) {
      const names = Array.from({ length: count }, (_, at) => `${at}`.padEnd(length, 'x'))
      const line = standings(...names.map((name): [string, undefined] => [name, undefined]))
      expect(line.length).toBeLessThanOrEqual(80)
      const named = / 0\/\d+(?:: (.*?)(?: \+\d+)?)?$/.exec(line)?.[1]?.split(' ') ?? []
      expect(named).toEqual(names.slice(0, named.length))
    }
  }
})

test('when all have come, nobody is named', () => {
  expect(standings(['a', 'converged'])).toBe(`${'█'.repeat(20)} 1/1`)
})

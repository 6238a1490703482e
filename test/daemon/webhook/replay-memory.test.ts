import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openReplayMemory } from '../../../agent/daemon/webhook/replay-memory.ts'
import { useFolder } from './with-webhook.ts'

const START = 1_800_000_000
const digest = (name: number | string) => String(name).padStart(22, '_')

/** Memories in one file on one clock, each as a process would open it. */
function useMemories() {
  const path = join(useFolder(), 'state', 'webhooks')
  const clock = { seconds: START }
  const open = (most?: number) => {
    const now = () => clock.seconds * 1000 + 500
    const memory = openReplayMemory({ path, now, ...(most === undefined ? {} : { most }) })
    onTestFinished(() => memory.close())
    return {
      note: (name: number | string, signedAt = clock.seconds) =>
        memory.note({ digest: digest(name), signedAt }),
    }
  }
  return { path, clock, open }
}

describe('remembers', () => {
  test('what it has seen, also in the next process', () => {
    const { open, path } = useMemories()
    expect(existsSync(path)).toBe(false)
    const memory = open()
    expect([memory.note('a'), memory.note('b'), memory.note('a')]).toEqual(['new', 'new', 'seen'])
    // Not closed: a killed process closes nothing.
    const next = open()
    expect([next.note('a'), next.note('b'), next.note('c')]).toEqual(['seen', 'seen', 'new'])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('for longer than a signature lasts, and then no longer', () => {
    const { open, clock } = useMemories()
    const memory = open(2)
    memory.note('ahead', START + 300)
    memory.note('now', START)
    expect(memory.note('late')).toBe('full')
    clock.seconds = START + 360
    expect(memory.note('late')).toBe('full')
    expect(memory.note('now', START)).toBe('seen')
    clock.seconds = START + 361
    expect(memory.note('late')).toBe('new')
    expect(memory.note('ahead', START + 300)).toBe('seen')
    expect(open().note('ahead', START + 300)).toBe('seen')
  })

  test('in a file that does not grow without end', () => {
    const { open, clock, path } = useMemories()
    const memory = open()
    let largest = 0
    for (let name = 0; name < 6_000; name += 1) {
      clock.seconds = START + name
      expect(memory.note(name)).toBe('new')
      if (name % 100 === 0) largest = Math.max(largest, statSync(path).size)
    }
    expect(largest).toBeLessThan(40_000)
    const next = open()
    for (let name = 5_700; name < 6_000; name += 1) {
      expect(next.note(name, START + name)).toBe('seen')
    }
    expect(next.note('x')).toBe('new')
  })
})

describe('a file that was cut or damaged', () => {
  test('in its last line, by a kill: that webhook was not acted upon, the others stay', () => {
    const { open, path } = useMemories()
    const memory = open()
    memory.note('a')
    memory.note('b')
    const whole = readFileSync(path)
    for (let length = whole.length - 1; length > whole.length - 34; length -= 1) {
      writeFileSync(path, whole.subarray(0, length))
      const next = open()
      expect([next.note('a'), next.note('b'), next.note('c')]).toEqual(['seen', 'new', 'new'])
      expect([open().note('a'), open().note('b'), open().note('c')]).toEqual(Array(3).fill('seen'))
    }
  })

  test.each([
    ['nothing', ''],
    ['zeros', '\0'.repeat(4096)],
    ['another header', 'something else\n'],
    ['a foreign line', `pomerium-host-agent webhooks 1\n${START} ${digest('a')}\nrubbish\n`],
    ['half a header', 'pomerium-host'],
  ])('elsewhere (%s): nothing signed up to now passes, what is signed later does', (_, content) => {
    const { open, path, clock } = useMemories()
    open().note('a')
    writeFileSync(path, content)
    const next = open()
    expect([next.note('a', START), next.note('b', START - 10)]).toEqual(['seen', 'seen'])
    expect(next.note('c', START + 1)).toBe('new')
    clock.seconds += 2
    const later = open()
    expect([later.note('a', START), later.note('c', START + 1)]).toEqual(['seen', 'seen'])
    expect(later.note('d')).toBe('new')
  })

  test('while the clock was ahead does not shut everybody out when it is right again', () => {
    const { open, path, clock } = useMemories()
    open().note('a')
    writeFileSync(path, 'rubbish\n')
    clock.seconds = START + 86_400
    expect(open().note('b', START + 86_401)).toBe('new')
    clock.seconds = START
    expect(open().note('c')).toBe('new')
  })
})

test('what can’t be written is not taken, and is new when it can', () => {
  const { open, path } = useMemories()
  mkdirSync(`${path}.new`, { recursive: true })
  const memory = open()
  expect(() => memory.note('a')).toThrow(/EISDIR/)
  rmdirSync(`${path}.new`)
  expect([memory.note('a'), memory.note('a'), open().note('a')]).toEqual(['new', 'seen', 'seen'])
})

test('a process that is killed in the cycle has not forgotten its webhook', async () => {
  const { open, path } = useMemories()
  const module = new URL('../../../agent/daemon/webhook/replay-memory.ts', import.meta.url)
  const code = `
    const { openReplayMemory } = await import(${JSON.stringify(module.href)})
    openReplayMemory({ path: ${JSON.stringify(path)}, now: () => ${START * 1000} })
      .note({ digest: '${digest('a')}', signedAt: ${START} })
    process.kill(process.pid, 'SIGKILL')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  expect(open().note('a')).toBe('seen')
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CycleOwner, lockCycle } from '../../../agent/daemon/cycle/cycle-lock.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

const never = new AbortController().signal
const MODULE = join(import.meta.dirname, '../../../agent/daemon/cycle/cycle-lock.ts')

describe('lockCycle', () => {
  let folder: Awaited<ReturnType<typeof tempDir>>
  beforeEach(async () => {
    folder = await tempDir()
  })
  afterEach(() => folder[Symbol.asyncDispose]())
  const take = (party: CycleOwner, signal = never) => lockCycle(folder.path, party, signal)
  const isOpen = async (turn: Promise<unknown>) => {
    let open = true
    turn.then(
      () => (open = false),
      () => (open = false),
    )
    await sleep(50)
    return open
  }

  test.each([
    ['poll', 'webhook'],
    ['webhook', 'poll'],
  ] as const)('while the %s has it, the %s waits', async (one, other) => {
    const leave = await take(one)
    const next = take(other)
    expect(await isOpen(next)).toBe(true)
    leave()
    ;(await next)()
    ;(await take(one))()
  })

  test('never both, and both come to their turns, however they fall', async () => {
    let inside = 0
    const most: number[] = []
    const turns = async (party: CycleOwner) => {
      for (let n = 0; n < 100; n++) {
        const leave = await take(party)
        inside += 1
        most.push(inside)
        await sleep(Math.random() * 2)
        inside -= 1
        leave()
        await sleep(Math.random() * 2)
      }
    }
    await Promise.all([turns('poll'), turns('webhook')])
    expect(most).toHaveLength(200)
    expect(Math.max(...most)).toBe(1)
  })

  test('one that is killed has it no longer', async () => {
    const script = `import { lockCycle } from ${JSON.stringify(MODULE)}
      await lockCycle(${JSON.stringify(folder.path)}, 'poll', new AbortController().signal)
      console.log('has it')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    const next = take('webhook')
    expect(await isOpen(next)).toBe(true)
    child.kill('SIGKILL')
    ;(await next)()
    ;(await take('poll'))()
  })

  test('told to stop, it waits no longer, and is in nobody’s way', async () => {
    const leave = await take('poll')
    const stop = new AbortController()
    const waiting = take('webhook', stop.signal)
    expect(await isOpen(waiting)).toBe(true)
    stop.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    leave()
    ;(await take('poll'))()
  })

  test('where no socket can be made it is not waited for', async () => {
    const file = join(folder.path, 'file')
    writeFileSync(file, '')
    ;(await lockCycle(file, 'poll', never))()
    ;(await lockCycle(join(folder.path, 'x'.repeat(200)), 'webhook', never))()
  })
})

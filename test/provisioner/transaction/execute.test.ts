// What becomes of a transaction whose restart fails, or that is killed after it.

import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { exitCodeOf } from '../../../agent/core/outcome/outcome-rows.ts'
import { runExclusively } from '../../../agent/provisioner/exclusive-run.ts'
import type { RestartReason } from '../../../agent/provisioner/host/budgeted-restarts.ts'
import type { Host } from '../../../agent/provisioner/host/host.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { makeOwnFolder } from '../../../agent/provisioner/transaction/own-folder.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { litterIn, readTree } from '../host-tree.ts'
import { hostOn, type Machine, newMachine } from '../played-host.ts'
import { defaultConfig } from '../temporary-host.ts'

const JOURNAL = '/var/lib/pomerium-host-agent/journal.json'
const config = defaultConfig()
const now = new Date()

describe('a restart', () => {
  let machine: Machine
  let reasons: RestartReason[]
  let state: 'running' | 'failed'
  /** What comes of each restart in turn; they succeed when there are no more. */
  let results: (Error | undefined)[]
  const host = (): Host => {
    const played = hostOn(machine, config.sshd)
    return {
      ...played,
      service: {
        found: async () => ({ state: { kind: 'unmanaged' } }),
        state: async () =>
          state === 'running'
            ? { kind: 'running', unit: 'ssh.service' }
            : { kind: 'failed', unit: 'ssh.service', result: 'exit-code' },
        restarts: played.service.restarts,
        async restart(reason) {
          reasons.push(reason)
          const result = results.shift()
          if (result !== undefined) throw result
          return played.service.restart(reason)
        },
      },
    }
  }
  const bundle = Buffer.from(newKeyLine('ed25519'))
  const apply = () => {
    const it = host()
    return runExclusively(it, now, () => provision({ bundle, source: 'test', config, now }, it))
  }

  beforeEach(() => {
    machine = newMachine(tmpdir())
    reasons = []
    results = []
    state = 'running'
  })
  afterEach(() => machine[Symbol.dispose]())

  test('that fails: all is undone, and sshd restarted with the old files', async () => {
    const before = readTree(machine.root)
    results = [new Error('the new one does not start')]
    const outcome = await apply()
    expect(outcome).toMatchObject({ outcome: 'rolled-back', trusted: [] })
    expect(exitCodeOf(outcome)).toBe(6)
    expect(outcome.message).toContain('the new one does not start')
    expect(readTree(machine.root)).toEqual(before)
    expect(litterIn(machine.root)).toEqual([])
    expect(reasons).toEqual(['config', 'undo'])
  })

  test('whose undoing fails too: both errors are told, and the next run tries again', async () => {
    const before = readTree(machine.root)
    results = [new Error('not the new one'), new Error('nor the old one')]
    const outcome = await apply()
    expect(exitCodeOf(outcome)).toBe(7)
    expect(outcome.message).toMatch(/not the new one.*nor the old one/)
    expect(readTree(machine.root)).toEqual(before)
    expect(litterIn(machine.root)).toEqual([JOURNAL])

    results = [new Error('still not')]
    const second = await apply()
    expect(second).toMatchObject({ outcome: 'rollback-failed' })
    expect(second.message).toMatch(/cut off.*still not/)

    expect(await apply()).toMatchObject({ outcome: 'applied' })
    expect(litterIn(machine.root)).toEqual([])
    expect(machine.running).toBe(machine.onDisk())
  })

  test.each([
    ['keeps to the budget while sshd runs', 'running', 'config'],
    ['does not wait where it has failed', 'failed', 'undo'],
  ] as const)('after a kill %s', async (_, found, reason) => {
    const it = host()
    await makeOwnFolder(it, it.layout.stateFolder)
    await new Promise<void>(restarted => {
      const restart = (why: RestartReason) =>
        it.service.restart(why).then(() => {
          restarted()
          return new Promise<never>(() => {})
        })
      const cut = { ...it, service: { ...it.service, restart } }
      void provision({ bundle, source: 'test', config, now }, cut)
    })
    expect(litterIn(machine.root)).toEqual([JOURNAL])
    reasons = []
    state = found
    await runExclusively(host(), now, async () => ({
      outcome: { outcome: 'unchanged', message: '', steps: [], trusted: [] },
    }))
    expect(reasons).toEqual([reason])
    expect(litterIn(machine.root)).toEqual([])
    expect(machine.running).toBe(machine.onDisk())
  })
})

// One behaviour, over a real folder and over file systems that fail: at every call of every kind of
// plan, in every way that such a call can. `npm test` disturbs one call in three.

import { tmpdir } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import { slice } from '../../campaign.ts'
import { type HostTree, litterIn, readTree, writeTree } from '../host-tree.ts'
import { type Machine, newMachine } from '../played-host.ts'
import {
  type Call,
  type Fault,
  type Sabotage,
  sabotagedFileSystem,
} from './sabotaged-file-system.ts'
import { CA, REVOKED, type Scenario, scenarios } from './transaction-scenarios.ts'
import { volatileDisk } from './volatile-disk.ts'

export interface FileSystemKind {
  name: string
  faults(call: Call): readonly Fault[]
  after?: Sabotage['after']
  /** Whether a run can still bring the host to where it was; else the next one does. */
  canUndo: boolean
  /** The folders of which the disk forgets what was not synced. */
  powerLoses?: (folder: string) => boolean
}

/** The host before the work and after it, undisturbed, and the calls that the work makes. */
interface Story {
  machine: Machine
  old: HostTree
  new: HostTree
  runningOld: string
  calls: Call[]
}

/** Tests of every scenario on each kind of file system, with each of its calls disturbed in turn. */
export function atEveryCall(kinds: readonly FileSystemKind[]): void {
  describe.each(kinds)('$name', kind => {
    test.each(scenarios)('$name', { timeout: 120_000 }, async scenario => {
      using machine = newMachine(tmpdir())
      const story = await tell(scenario, machine)
      const broken: string[] = []
      const all = story.calls.flatMap((call, at) =>
        kind.faults(call).map(fault => ({ at, call, fault })),
      )
      for (const { at, call, fault } of slice(`${kind.name}, ${scenario.name}`, all, 3)) {
        const sabotage = { at, fault, ...(kind.after === undefined ? {} : { after: kind.after }) }
        const where = `${fault} at ${at} ${call.name} ${call.path.slice(machine.root.length)}`
        await disturb(scenario, story, sabotage, kind).catch(error => {
          broken.push(`${where}: ${error.message}`)
        })
      }
      // All at once: which calls they are says more than the first of them.
      expect(broken).toEqual([])
    })
  })
}

async function tell(scenario: Scenario, machine: Machine): Promise<Story> {
  await scenario.prepare(machine)
  const old = readTree(machine.root)
  const runningOld = machine.running
  writeTree(machine.root, old)
  const { fs, calls } = sabotagedFileSystem(realFileSystem)
  const outcome = await scenario.run(machine, fs)
  expect(outcome).toMatchObject({ outcome: scenario.expected })
  expect(litterIn(machine.root)).toEqual([])
  const after = readTree(machine.root)
  expect(after).not.toEqual(old)
  expect(machine.running).toBe(machine.onDisk())
  expect(await scenario.run(machine)).toMatchObject({ outcome: 'unchanged' })
  expect(readTree(machine.root)).toEqual(after)
  return { machine, old, new: after, runningOld, calls }
}

async function disturb(
  scenario: Scenario,
  story: Story,
  sabotage: Sabotage,
  { canUndo, powerLoses }: FileSystemKind,
): Promise<void> {
  const { machine } = story
  writeTree(machine.root, story.old)
  machine.running = story.runningOld
  const disk = powerLoses === undefined ? undefined : volatileDisk(realFileSystem)
  const { fs, beAlive } = sabotagedFileSystem(disk?.fs ?? realFileSystem, sabotage)
  const ended = await scenario.run(machine, fs, beAlive).catch((error: unknown) => error as Error)
  if (powerLoses !== undefined) {
    disk?.cutPower(powerLoses)
    machine.running = machine.onDisk()
  }
  expectWhole(story)
  if (sabotage.fault !== 'killed') expectHonest(ended, scenario, story, canUndo)
  // From where the undisturbed story began or ended it is known how it goes on.
  if (isSettled(story)) return

  // The next one finds a file system that works, and whatever was left is cleared up…
  await scenario.recover(machine)
  const recovered = readTree(machine.root)
  expect([story.old, story.new]).toContainEqual(recovered)
  expect(litterIn(machine.root)).toEqual([])
  expectRunning(story)
  // …and the work comes to its end.
  const again = await scenario.run(machine)
  expect(['unchanged', 'applied']).toContain(again.outcome)
  expect(readTree(machine.root)).toEqual(story.new)
  expect(litterIn(machine.root)).toEqual([])
  expect(machine.running).toBe(machine.onDisk())
}

// At every instant: each file old or new, and none named by sshd's configuration that is not there.
function expectWhole({ machine, old, new: after }: Story): void {
  const now = readTree(machine.root)
  for (const path of new Set([...old.keys(), ...now.keys(), ...after.keys()])) {
    // A folder that is being made is there before it has its mode.
    const folder = now.get(path) !== undefined && now.get(path)?.content === undefined
    if (!folder) expect([old.get(path), after.get(path)], path).toContainEqual(now.get(path))
  }
  if (machine.onDisk().includes(CA)) expect(now.get(CA)?.content).toBeTruthy()
  // Also by the sshd that runs: without this one it refuses every key.
  const names = machine.onDisk() + machine.running
  if (names.includes(REVOKED)) expect(now.get(REVOKED)?.content).toBeTruthy()
}

function expectHonest(
  ended: Outcome | Error,
  scenario: Scenario,
  story: Story,
  canUndo: boolean,
): void {
  const { machine, old, new: after } = story
  const now = readTree(machine.root)
  if (ended instanceof Error) {
    expect(now).toEqual(old)
    expect(litterIn(machine.root).filter(name => name.endsWith('/journal.json'))).toEqual([])
    expectRunning(story)
    return
  }
  switch (ended.outcome) {
    case scenario.expected:
      expect(now).toEqual(after)
      expectRunning(story)
      return
    case 'rolled-back':
    case 'host-refused':
      expect(now).toEqual(old)
      expectRunning(story)
      return
    case 'rollback-failed':
      if (canUndo) expect([old, after]).toContainEqual(now)
      return
    default:
      throw new Error(`ended ${ended.outcome}: ${ended.message}`)
  }
}

function isSettled({ machine, old, new: after, runningOld }: Story): boolean {
  const now = readTree(machine.root)
  if (litterIn(machine.root).length > 0) return false
  const begins = isDeepStrictEqual(now, old) && machine.running === runningOld
  return begins || (isDeepStrictEqual(now, after) && machine.running === machine.onDisk())
}

// The sshd that runs has read what is on disk, or runs as it did where somebody else has changed that.
function expectRunning({ machine, runningOld }: Story): void {
  expect([machine.onDisk(), runningOld]).toContain(machine.running)
}

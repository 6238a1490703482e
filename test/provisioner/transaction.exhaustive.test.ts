// One behaviour, over a real folder and over file systems that fail: at every call of every kind of
// plan, in every way that such a call can.

import { tmpdir } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../agent/core/outcome.ts'
import { realFileSystem } from '../../agent/provisioner/file-system.ts'
import { type HostTree, litterIn, readTree, writeTree } from './host-tree.ts'
import { type Machine, newMachine } from './played-host.ts'
import {
  type Call,
  type Fault,
  faultsOf,
  type Sabotage,
  sabotagedFileSystem,
} from './sabotaged-file-system.ts'
import { CA, type Scenario, scenarios } from './transaction-scenarios.ts'
import { volatileDisk } from './volatile-disk.ts'

interface FileSystemKind {
  name: string
  faults(call: Call): readonly Fault[]
  after?: Sabotage['after']
  /** Whether a run can still bring the host to where it was; else the next one does. */
  canUndo: boolean
  /** The folders of which the disk forgets what was not synced. */
  powerLoses?: (folder: string) => boolean
}

const kinds: FileSystemKind[] = [
  { name: 'a real folder', faults: () => [], canUndo: true },
  { name: 'one call fails', faults: faultsOf, canUndo: true },
  {
    name: 'the disk is full from a call on',
    faults: call => (call.takesRoom ? ['ENOSPC'] : []),
    after: call => call.takesRoom,
    canUndo: false,
  },
  {
    name: 'the disk is read-only from a call on',
    faults: call => (call.changes ? ['EROFS'] : []),
    after: call => call.changes && call.name !== 'closeSync',
    canUndo: false,
  },
  { name: 'the disk dies at a call', faults: () => ['EIO'], after: () => true, canUndo: false },
  { name: 'killed at a call', faults: () => ['killed'], canUndo: false },
  {
    name: 'the power fails at a call',
    faults: call => (call.changes ? ['killed'] : []),
    canUndo: false,
    powerLoses: () => true,
  },
  {
    name: 'the power fails at a call, and our own folder was written first',
    faults: call => (call.changes ? ['killed'] : []),
    canUndo: false,
    powerLoses: folder => !folder.endsWith('/pomerium-host-agent'),
  },
]

/** The host before the work and after it, undisturbed, and the calls that the work makes. */
interface Story {
  machine: Machine
  old: HostTree
  new: HostTree
  runningOld: string
  calls: Call[]
}

describe.each(kinds)('$name', kind => {
  test.each(scenarios)('$name', { timeout: 120_000 }, async scenario => {
    using machine = newMachine(tmpdir())
    const story = await tell(scenario, machine)
    const broken: string[] = []
    for (const [at, call] of story.calls.entries()) {
      for (const fault of kind.faults(call)) {
        const sabotage = { at, fault, ...(kind.after === undefined ? {} : { after: kind.after }) }
        const where = `${fault} at ${at} ${call.name} ${call.path.slice(machine.root.length)}`
        await disturb(scenario, story, sabotage, kind).catch(error => {
          broken.push(`${where}: ${error.message}`)
        })
      }
    }
    // All at once: which calls they are says more than the first of them.
    expect(broken).toEqual([])
  })
})

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

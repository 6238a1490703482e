import {
  count,
  type Form,
  flag,
  listOf,
  oneOf,
  path,
  shape,
  text,
} from '../../core/basics/stored-form.ts'
import type { Step } from '../../core/host/step.ts'
import { removeFile, writeFileAtomically } from '../files/atomic-write.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'

/** How to undo a transaction that is under way. On disk before its first step, gone after its last. */
export interface Journal {
  version: 1
  /** Last first; each brings about a state, so that all may be run from wherever it stopped. */
  undo: Step[]
  /** Whether sshd may have been restarted with what is to be undone. */
  restarted: boolean
}

export function writeJournal(host: Host, journal: Journal): void {
  const { path: place, mode } = host.layout.journal
  const content = Buffer.from(JSON.stringify(journal, encodeBytes))
  writeFileAtomically(host.fs, host.at(place), { content, mode, ...host.owner })
}

/** The journal that a run left which did not come to its end; `undefined` where all did. */
export function readJournal(host: Host): Journal | undefined {
  const { path } = host.layout.journal
  const file = lookAt(host.fs, host.at(path))
  if (file.kind === 'missing') return undefined
  try {
    if (file.kind !== 'file')
      throw new Error(`it is a ${file.kind === 'other' ? file.what : file.kind}`)
    const journal: unknown = JSON.parse(file.content.toString(), decodeBytes)
    if (!isJournal(journal)) throw new Error('another form')
    return journal as Journal
  } catch (cause) {
    const remedy = `see that sshd -t passes, move it away (sudo mv ${path} ${path}.damaged), and apply`
    throw new Error(`${path} is damaged, which says how to undo that: ${remedy}`, { cause })
  }
}

/** Whether there is one; `false` also where that can't be seen. */
export function hasJournal({ fs, at, layout }: Host): boolean {
  try {
    return lookAt(fs, at(layout.journal.path)).kind !== 'missing'
  } catch {
    return false
  }
}

/**
 * Ends a transaction. Throws only while the journal is there: once it is gone, nothing would undo
 * what is taken back now. Where the folder could not be synced a power cut may bring it back; the
 * next run then undoes the whole, which has its order too.
 */
export function clearJournal(host: Host): void {
  try {
    removeFile(host.fs, host.at(host.layout.journal.path))
  } catch (error) {
    if (hasJournal(host)) throw error
  }
}

const access = { mode: count, uid: count, gid: count }
const step = (name: Step['do']) => ({ do: oneOf(name) })

// Every step that `invertStep` makes. A journal is run whole or not at all.
const STEPS: Form<unknown>[] = [
  shape({ ...step('make-folder'), path, mode: count }),
  shape({ ...step('write-file'), path, content: isBytes, ...access }),
  shape({ ...step('remove-file'), path }),
  shape({ ...step('remove-folder'), path }),
  shape({ ...step('restart-sshd'), unit: text, reason: oneOf('config', 'rotation', 'undo') }),
]
const isStep: Form<unknown> = (value): value is unknown => STEPS.some(form => form(value))

const isJournal = shape({ version: oneOf(1), undo: listOf(isStep), restarted: flag })

function isBytes(value: unknown): value is Buffer {
  return Buffer.isBuffer(value)
}

// Contents of files are bytes. Buffer.toJSON() has run before a replacer sees the value.
function encodeBytes(_: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && 'data' in value
  return isBuffer && value.type === 'Buffer' && Array.isArray(value.data)
    ? { base64: Buffer.from(value.data).toString('base64') }
    : value
}

function decodeBytes(_: string, value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'base64' in value
    ? Buffer.from(String(value.base64), 'base64')
    : value
}

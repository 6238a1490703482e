import type { Place } from './layout.ts'
import { withoutBlock } from './marked-block.ts'
import type { FileState, Observation } from './observation.ts'
import { bytesOf, fromBytes } from './sshd-config/bytes.ts'
import type { Step } from './step.ts'

type Files = Observation['files']

/** Makes a folder where it is missing. */
export function planFolder({ path, mode }: Place, { files }: { files: Files }): Step[] {
  return files.get(path)?.kind === 'missing'
    ? [{ do: 'make-folder', path, mode, why: 'missing' }]
    : []
}

export function removeIfThere(path: string, files: Files): Step[] {
  return files.get(path)?.kind === 'file' ? [{ do: 'remove-file', path, why: 'written by us' }] : []
}

/**
 * Writes a file of ours where content, owner or mode differ. One with a wrong owner or mode is
 * replaced, not mended: whoever holds it open keeps the old one.
 */
export function planFile(
  place: Place,
  text: string,
  host: Pick<Observation, 'files' | 'owner'>,
): Step[] {
  const content = Buffer.from(text)
  const faults = fileFaults(place, host.files.get(place.path), content, host.owner)
  return faults.length === 0
    ? []
    : [{ do: 'write-file', ...place, content, ...host.owner, why: faults.join(', ') }]
}

/** sshd's main file (bytes) with our block or without it; owner and mode are the administrator's. */
export function planMain(
  { files, config }: Pick<Observation, 'files' | 'config'>,
  text: string | undefined,
): Step[] {
  const state = files.get(config.main)
  if (state?.kind !== 'file') return []
  const { content, mode, uid, gid } = state
  const wanted = fromBytes(text ?? withoutBlock(bytesOf(content)))
  if (wanted.equals(content)) return []
  const why =
    wanted.length > content.length ? 'no Include reaches the drop-in' : 'our block is not needed'
  return [{ do: 'write-file', path: config.main, content: wanted, mode, uid, gid, why }]
}

/** Whether steps change what is read, rather than who may. */
export function changesContent(steps: readonly Step[], { files }: { files: Files }): boolean {
  return steps.some(step => {
    if (step.do === 'remove-file') return true
    if (step.do !== 'write-file') return false
    const state = files.get(step.path)
    return state?.kind !== 'file' || !state.content.equals(step.content)
  })
}

function fileFaults(
  place: Place,
  state: FileState | undefined,
  content: Buffer,
  owner: { uid: number; gid: number },
): string[] {
  if (state?.kind === 'unseen') return []
  if (state?.kind !== 'file') return ['missing']
  const octal = (mode: number) => mode.toString(8).padStart(4, '0')
  return [
    ...(state.content.equals(content) ? [] : ['content differs']),
    ...(state.mode === place.mode ? [] : [`mode ${octal(state.mode)}, not ${octal(place.mode)}`]),
    ...(state.uid === owner.uid && state.gid === owner.gid
      ? []
      : [`owner ${state.uid}:${state.gid}, not ${owner.uid}:${owner.gid}`]),
  ]
}

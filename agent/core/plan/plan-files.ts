import type { Place } from '../config/layout.ts'
import type { Found } from '../host/found-files.ts'
import { hasBlock, withoutBlock } from '../host/marked-block.ts'
import type { FileState, Observation } from '../host/observation.ts'
import type { Step } from '../host/step.ts'
import type { Written } from '../host/written-files.ts'
import { bytesOf, fromBytes } from '../sshd-config/bytes.ts'

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
  place: Place & { vital?: true },
  text: string,
  host: Pick<Observation, 'files' | 'owner' | 'found'>,
): Step[] {
  const content = Buffer.from(text)
  const faults = fileFaults(place, host.files.get(place.path), content, host.owner)
  const found = host.found.has(place.path) ? { found: true as const } : {}
  return faults.length === 0
    ? []
    : [{ do: 'write-file', ...place, content, ...host.owner, ...found, why: faults.join(', ') }]
}

/**
 * Gives back a place that was written to, with what was found there before; nothing where it is gone, or
 * is no file any more.
 */
export function takeBack(
  { path, is, found }: Written,
  host: Pick<Observation, 'files' | 'config'>,
) {
  if (is === 'block') {
    return planMain({ files: host.files, config: { ...host.config, main: path } }, undefined)
  }
  return found === undefined ? removeIfThere(path, host.files) : giveBack(path, found, host.files)
}

function giveBack(path: string, { content, ...access }: Found, files: Files): Step[] {
  const state = files.get(path)
  const before = Buffer.from(content, 'base64')
  const faults = fileFaults({ path, mode: access.mode }, state, before, access)
  if (state?.kind !== 'file' || faults.length === 0) return []
  return [
    { do: 'write-file', path, content: before, ...access, found: true, why: 'as it was found' },
  ]
}

/** Why something that was written can't be given back, and where it is; `undefined` where it can. */
export function whyLeft(
  { path, is }: Written,
  { files, config }: Pick<Observation, 'files' | 'config'>,
): string | undefined {
  const state = files.get(path)
  switch (state?.kind) {
    case undefined:
    case 'missing':
      return undefined
    case 'file': {
      if (is !== 'block' || !hasBlock(withoutBlock(bytesOf(state.content)))) return undefined
      return `${path}: the end of our block is gone; take out its lines, which begin with "# BEGIN pomerium-host-agent"`
    }
    case 'unseen':
      return `${path}: only root may read it`
    case 'folder':
    case 'other': {
      // It is read behind a link, as sshd reads it.
      const text = config.texts.get(path)
      if (is === 'block' && text !== undefined && !hasBlock(text)) return undefined
      const what = state.kind === 'folder' ? 'folder' : state.what
      const ours = is === 'block' ? 'may have our block in it' : 'stands where we had written'
      return `${path}: a ${what} ${ours}; look at it, and take away what is ours`
    }
  }
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

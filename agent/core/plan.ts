import { type EffectiveConfig, trustedUserCaKeys } from './effective-config.ts'
import type { Layout, Place } from './layout.ts'
import type { FileState, Observation } from './observation.ts'
import type { Step } from './step.ts'

export type HostRefusalCode =
  | 'sshd-missing'
  | 'sshd-config-broken'
  | 'pubkey-authentication-off'
  | 'foreign-ca'
  | 'not-a-regular-file'
  | 'not-a-folder'

export type Plan =
  | { kind: 'steps'; steps: Step[] }
  | { kind: 'host-refused'; code: HostRefusalCode; message: string }

/** What the host shall be. */
export interface Wanted {
  caKeys: string
  dropIn: string
  restart: 'rotation' | 'config-change'
}

/**
 * The steps from the host as it is to the host as wanted; none where it is so already.
 * The keys come before the drop-in that names them, so that sshd never reads a missing file.
 */
export function planApply(host: Observation, layout: Layout, wanted: Wanted): Plan {
  const refusal = refuseHost(host, layout)
  if (refusal !== undefined) return refusal
  const caFile = planFile(layout.caFile, host.caFile, wanted.caKeys, host.owner)
  const dropIn = planFile(layout.dropIn, host.dropIn, wanted.dropIn, host.owner)
  const writes = [
    ...planFolder(layout.caFolder, host.caFolder),
    ...caFile.steps,
    ...planFolder(layout.dropInFolder, host.dropInFolder),
    ...dropIn.steps,
  ]
  if (writes.length === 0 && (host.sshd.kind !== 'readable' || isTrusted(host.sshd, layout))) {
    return { kind: 'steps', steps: [] }
  }
  const restartWhy = dropIn.newContent
    ? 'sshd reads its configuration only at start'
    : caFile.newContent && wanted.restart === 'rotation'
      ? 'the trusted keys change (sshd.restart: rotation)'
      : undefined
  return {
    kind: 'steps',
    steps: [...writes, ...planProof(host, layout), ...planRestart(host, restartWhy)],
  }
}

/** The steps that take everything of ours off the host; `folders` are those that we had made. */
export function planRemove(host: Observation, layout: Layout, madeFolders: string[]): Plan {
  if (host.caFile.kind === 'missing' && host.dropIn.kind === 'missing') {
    return { kind: 'steps', steps: [] }
  }
  const remove = (place: Place, state: FileState): Step[] =>
    state.kind === 'missing' ? [] : [{ do: 'remove-file', path: place.path, why: 'written by us' }]
  const folder = (place: Place): Step[] =>
    madeFolders.includes(place.path)
      ? [{ do: 'remove-folder', path: place.path, why: 'made by us' }]
      : []
  return {
    kind: 'steps',
    steps: [
      ...remove(layout.dropIn, host.dropIn),
      ...folder(layout.dropInFolder),
      ...(host.sshd.kind === 'absent' ? [] : [CHECK_CONFIG]),
      ...planRestart(host, 'sshd still trusts the keys until it starts anew'),
      ...remove(layout.caFile, host.caFile),
      ...folder(layout.caFolder),
    ],
  }
}

const CHECK_CONFIG: Step = { do: 'check-config', why: 'sshd must be able to start' }

// A tree without an sshd that runs here (an image of another architecture) can't be proved.
function planProof(host: Observation, layout: Layout): Step[] {
  if (host.sshd.kind === 'absent') return []
  const caFile = layout.caFile.path
  return [CHECK_CONFIG, { do: 'prove-trust', caFile, why: 'sshd must really use the file' }]
}

function isTrusted(sshd: { effective: EffectiveConfig }, layout: Layout): boolean {
  return trustedUserCaKeys(sshd.effective) === layout.caFile.path
}

function refuseHost(host: Observation, layout: Layout): Plan | undefined {
  if (host.sshd.kind === 'absent' && !host.tree) {
    return refuse('sshd-missing', 'no sshd on this host; install openssh-server first')
  }
  if (host.sshd.kind === 'broken') {
    return refuse(
      'sshd-config-broken',
      `sshd refuses its own configuration, from before us; mend it first: ${host.sshd.message}`,
    )
  }
  for (const [place, state] of [
    [layout.caFile, host.caFile],
    [layout.dropIn, host.dropIn],
  ] as const) {
    if (state.kind === 'folder' || state.kind === 'other') {
      const what = state.kind === 'folder' ? 'folder' : state.what
      return refuse(
        'not-a-regular-file',
        `${place.path} is a ${what}; move it away, this program writes regular files only`,
      )
    }
  }
  for (const [place, state] of [
    [layout.caFolder, host.caFolder],
    [layout.dropInFolder, host.dropInFolder],
  ] as const) {
    if (state.kind === 'file' || state.kind === 'other') {
      return refuse('not-a-folder', `${place.path} must be a folder; move away what is there`)
    }
  }
  return host.sshd.kind === 'readable' ? refuseConfig(host.sshd.effective, layout) : undefined
}

function refuseConfig(effective: EffectiveConfig, layout: Layout): Plan | undefined {
  if (effective.get('pubkeyauthentication')?.[0] === 'no') {
    return refuse(
      'pubkey-authentication-off',
      'PubkeyAuthentication is "no", so that no certificate can log in; set it to "yes" first',
    )
  }
  const current = trustedUserCaKeys(effective)
  if (current !== undefined && current !== layout.caFile.path) {
    return refuse(
      'foreign-ca',
      `sshd trusts the CA keys of another owner: TrustedUserCAKeys ${current}; remove that line first`,
    )
  }
  return undefined
}

function planFolder(place: Place, state: FileState): Step[] {
  return state.kind === 'missing'
    ? [{ do: 'make-folder', path: place.path, mode: place.mode, why: 'missing' }]
    : []
}

// A file with wrong owner or mode is replaced, not mended: whoever holds it open keeps the old one.
function planFile(
  place: Place,
  state: FileState,
  text: string,
  owner: { uid: number; gid: number },
): { steps: Step[]; newContent: boolean } {
  const content = Buffer.from(text)
  const faults = fileFaults(place, state, content, owner)
  if (faults.length === 0) return { steps: [], newContent: false }
  return {
    steps: [
      {
        do: 'write-file',
        path: place.path,
        content,
        mode: place.mode,
        ...owner,
        why: faults.join(', '),
      },
    ],
    newContent: state.kind !== 'file' || !state.content.equals(content),
  }
}

function fileFaults(
  place: Place,
  state: FileState,
  content: Buffer,
  owner: { uid: number; gid: number },
): string[] {
  if (state.kind === 'unseen') return []
  if (state.kind !== 'file') return ['missing']
  const octal = (mode: number) => mode.toString(8).padStart(4, '0')
  return [
    ...(state.content.equals(content) ? [] : ['content differs']),
    ...(state.mode === place.mode ? [] : [`mode ${octal(state.mode)}, not ${octal(place.mode)}`]),
    ...(state.uid === owner.uid && state.gid === owner.gid
      ? []
      : [`owner ${state.uid}:${state.gid}, not ${owner.uid}:${owner.gid}`]),
  ]
}

function planRestart(host: Observation, why: string | undefined): Step[] {
  return why === undefined || host.service.kind !== 'running'
    ? []
    : [{ do: 'restart-sshd', unit: host.service.unit, why }]
}

function refuse(code: HostRefusalCode, message: string): Plan {
  return { kind: 'host-refused', code, message }
}

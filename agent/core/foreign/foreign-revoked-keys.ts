import { renderCaKeys } from '../bundle/bundle.ts'
import type { Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import { isOwnLine, ownDropIns } from '../host/place-drop-in.ts'
import {
  describeRevokedKeys,
  type KeyList,
  linesOfKeys,
  revokedKeysFile,
} from '../host/revoked-keys.ts'
import { whoSets } from '../host/who-sets.ts'
import type { CaKey } from '../keys/ca-key.ts'
import { type HostRefused, refuseHost } from '../outcome/host-refusal.ts'
import { showBytes } from '../sshd-config/bytes.ts'
import { settingOnCommandLine } from '../sshd-config/command-line.ts'
import { scanOf } from '../sshd-config/config-snapshot.ts'
import { type Directive, describePlace } from '../sshd-config/directive.ts'
import { overrides, settings } from '../sshd-config/effective-line.ts'
import { settingsBefore } from '../sshd-config/include-reach.ts'
import type { Looked } from './foreign-ca.ts'

/** The list as it shall lie on the host, or why that would take another owner's from sshd. */
export type Revocation =
  | {
      kind: 'revocation'
      /** Absent where nothing is revoked. */
      text?: string
      /** The file of another owner whose keys are in it too. */
      unitedWith?: string
      /** Lists of others that win, as they are named there, and have all our keys: their lines stay. */
      covering: string[]
      /** Absent where our own line is to name the list; one of `covering` wins for everybody. */
      unnamed?: true
    }
  | HostRefused

/** The most that is taken of another owner's list, in bytes: it lies in the journal as well. */
const MOST_BYTES = 256 * 1024

/**
 * One file is all that sshd reads (`RevokedKeys`): another owner's list must be in ours, or stay the one
 * that is read. What we can't unite, and what wins over ours whatever we write, refuses the host.
 */
export function planRevocation(
  host: Observation,
  layout: Layout,
  { revoked, conflict }: { revoked: readonly CaKey[]; conflict: 'refuse' | 'adopt' },
): Revocation {
  if (revoked.length === 0) return { kind: 'revocation', covering: [] }
  const own = renderCaKeys(revoked)
  const option = settingOnCommandLine(host.commandLine, 'revokedkeys')
  if (option !== undefined && option.args[0] !== layout.revokedKeys.path) {
    const who = whoSets('revokedkeys', host)
    return refuse(
      `no file wins over ${who}, so that the bundle's revoked keys can not be put in force`,
    )
  }
  const lines = linesOfOthers(host, layout).filter(at => fileOf(at) !== layout.revokedKeys.path)
  const isCovering = (at: Directive) => covers(host.revokedLists?.get(fileOf(at)), revoked)
  const scoped = lines.filter(({ matches }) => matches.length > 0)
  const lacking = scoped.find(at => !isCovering(at))
  if (lacking !== undefined) {
    const remedy = 'remove that line, or add the revoked keys of the bundle to its file'
    return refuse(`what a Match sets wins and can not be adopted: ${describe(lacking)}; ${remedy}`)
  }
  const covering = namesIn(scoped)
  const first = lines.find(({ matches }) => matches.length === 0)
  const file = first && revokedKeysFile(first)
  const isFirst = settingsBefore(layout.dropIn.path, scanOf(host.config), 'revokedkeys').some(
    at => at.file === first?.file && at.line === first.line,
  )
  if (first === undefined || (file === undefined && !isFirst)) {
    return { kind: 'revocation', text: own, covering }
  }
  if (conflict === 'refuse' && isCovering(first)) {
    return {
      kind: 'revocation',
      text: own,
      covering: [...covering, ...namesIn([first])],
      unnamed: true,
    }
  }
  if (conflict === 'refuse') {
    const remedy =
      'remove it, add the revoked keys of the bundle to its list, or set sshd.conflict: adopt for both'
    return refuse(`another owner's line would be displaced: ${describe(first)}; ${remedy}`)
  }
  const united = file === undefined ? { text: own } : unite(own, first, file, host)
  return 'code' in united ? united : { kind: 'revocation', ...united, covering }
}

function unite(own: string, at: Directive, file: string, host: Observation) {
  const fault = host.revokedKeys.get(file)
  const list = host.revokedLists?.get(file)
  const why =
    fault !== undefined
      ? describeRevokedKeys(file, fault)
      : list === undefined
        ? `${showBytes(file)}, which was not looked at`
        : list.kind === 'krl'
          ? `${showBytes(file)}, which is a KRL and no list of keys`
          : list.content.length > MOST_BYTES
            ? `${showBytes(file)}, which has more than ${MOST_BYTES / 1024} KiB`
            : undefined
  if (why !== undefined || list?.kind !== 'list') {
    return refuseHost(
      'revoked-keys-not-united',
      `${describePlace(at)} names ${why}: it can not be united with the revoked keys of the bundle; make it a list of public keys, one a line, or remove that line`,
    )
  }
  const isOurs = isIn(Buffer.from(own))
  const others = linesOfKeys(list.content).filter(key => !isOurs(key))
  const text = own + others.map(({ type, base64 }) => `${type} ${base64}\n`).join('')
  return { text, unitedWith: showBytes(file) }
}

const namesIn = (lines: readonly Directive[]) => lines.flatMap(({ args }) => args[0] ?? [])

function covers(list: KeyList | undefined, revoked: readonly CaKey[]): boolean {
  return list?.kind === 'list' && revoked.every(isIn(list.content))
}

/** Whether a key stands in a list. */
function isIn(list: Buffer) {
  const known = new Set(linesOfKeys(list).map(({ base64 }) => base64))
  return ({ base64 }: { base64: string }) => known.has(base64)
}

/**
 * Whether sshd, as it was found, goes by our list or by one of others that has all these keys, for everybody:
 * where another wins, a key that is revoked logs in.
 */
export function refusesRevoked(
  { sshd, config, revokedLists }: Pick<Observation, 'sshd' | 'config' | 'revokedLists'>,
  layout: Layout,
  revoked: readonly CaKey[],
): boolean {
  if (revoked.length === 0 || sshd.kind !== 'readable') return true
  const [used = 'none'] = sshd.effective.get('revokedkeys') ?? []
  const names = [used, ...overrides(scanOf(config), 'revokedkeys').map(fileOf)]
  return names.every(
    name => name === layout.revokedKeys.path || covers(revokedLists?.get(name), revoked),
  )
}

/** Lines of others that come to a list of ours: sshd would refuse every key by them, were it gone. */
export function othersRevoking(
  { config, found, listNames }: Looked & Pick<Observation, 'listNames'>,
  layout: Layout,
  path: string,
): Directive[] {
  return linesOfOthers({ config, found }, layout).filter(at => {
    const file = fileOf(at)
    return file === path || listNames?.get(file) === path
  })
}

function linesOfOthers({ config, found }: Looked, layout: Layout): Directive[] {
  const isOwn = isOwnLine(config, ownDropIns(layout, found))
  return settings(scanOf(config), 'revokedkeys').filter(at => !isOwn(at))
}

const fileOf = (at: Directive) => revokedKeysFile(at) ?? ''

const refuse = (message: string) => refuseHost('foreign-revoked-keys', message)

function describe(at: Directive): string {
  const block = at.matches.at(-1)
  const scope = block === undefined ? '' : `, in Match ${showBytes(block.criteria.join(' '))}`
  return `${describePlace(at)} (RevokedKeys ${showBytes(at.args[0] ?? 'none')}${scope})`
}

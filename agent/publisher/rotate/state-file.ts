import { parse, stringify } from 'yaml'
import { parseBundle } from '../../core/bundle/bundle.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import type { TrustedKey } from '../../core/outcome/outcome.ts'
import { readKey } from '../notify/read-outcome.ts'
import type { Target } from '../notify/targets.ts'
import { placeFile } from '../place-file.ts'
import { readOwnFile } from './own-file.ts'
import { ORDERS, type Rotation } from './rotation.ts'

/** How the operator called; kept, so that the next call needs to say nothing again. */
export interface Settings {
  bundle: string
  secretFile?: string
  caFile?: string
  publishCommand?: string
  proveCommand?: string
  timeout?: string
  concurrency?: string
}

/** What the state file holds. */
export interface State {
  settings: Settings
  targets: Target[]
  rotation: Rotation
}

const HEAD = `# A rotation of the Pomerium User CA, as far as it has come. To go on, run again:
#   pomerium-host-agent bundle rotate --state THIS-FILE
`
const VERSION = 2

/** A state that a person can read: what matters first, the bundles to be served last. */
function renderState({ settings, targets, rotation }: State): string {
  const { order, step, leftBehind, confirmed, beside, history, editions, old, before, hosts } =
    rotation
  const where = targets.filter(({ name }) => hosts.includes(name))
  const shown = {
    version: VERSION,
    order,
    step,
    settings,
    hosts: where,
    confirmed,
    beside,
    leftBehind,
    history,
    before,
    old,
    editions,
  }
  return (
    HEAD + stringify(shown, { lineWidth: 0, blockQuote: 'literal', aliasDuplicateObjects: false })
  )
}

/** Nobody else's to read: how the bundle is published stands in it, and whatever that command holds. */
export function writeState(path: string, state: State): void {
  placeFile(path, renderState(state), 0o600)
}

/**
 * The state in a file; `undefined` where there is none yet; a problem where it can't be made out, or
 * where somebody else may have written it or may yet: its commands are run as the user who calls.
 */
export function readState(path: string): State | { problem: string } | undefined {
  let text: string | undefined
  try {
    text = readOwnFile(path)
  } catch (error) {
    return { problem: messageOf(error) }
  }
  if (text === undefined) return undefined
  try {
    return parseState(text)
  } catch (error) {
    return { problem: `${path} is no rotation that can be gone on with: ${messageOf(error)}` }
  }
}

function parseState(text: string): State {
  const read = record(parse(text), 'the file')
  if (read.version !== VERSION)
    throw new Error(`"version" is not ${VERSION}: another version of this program began it`)
  const order = read.order === 'compromised' ? 'compromised' : 'planned'
  if (read.order !== order) throw new Error('"order" is neither planned nor compromised')
  const step = ORDERS[order].find(each => each === read.step)
  if (step === undefined) throw new Error(`"step" is none of ${ORDERS[order].join(', ')}`)
  const targets = list(read.hosts, 'hosts').map(readTarget)
  if (targets.length === 0) throw new Error('"hosts" names none')
  const confirmed = record(read.confirmed, 'confirmed')
  const old = strings(read.old, 'old')
  if (old.length === 0) throw new Error('"old" names no key')
  const editions = record(read.editions, 'editions')
  const both = order === 'planned' ? { both: readEdition(editions.both, 'editions.both') } : {}
  return {
    settings: readSettings(read.settings),
    targets,
    rotation: {
      order,
      step,
      editions: { ...both, new: readEdition(editions.new, 'editions.new') },
      old,
      before: string(read.before, 'before'),
      hosts: targets.map(({ name }) => name),
      confirmed: {
        both: strings(confirmed.both, 'confirmed.both'),
        new: strings(confirmed.new, 'confirmed.new'),
      },
      beside: list(read.beside, 'beside').map(each => {
        const { host, trusted } = record(each, 'beside')
        const keys = list(trusted, 'beside.trusted').map(readHostKey)
        return { host: string(host, 'beside.host'), trusted: keys }
      }),
      leftBehind: strings(read.leftBehind, 'leftBehind'),
      history: list(read.history, 'history').map(each => {
        const { at, what } = record(each, 'history')
        return { at: string(at, 'history.at'), what: string(what, 'history.what') }
      }),
    },
  }
}

function readTarget(value: unknown): Target {
  const { name, url, secretFile } = record(value, 'hosts')
  const target: Target = { name: string(name, 'hosts.name'), url: string(url, 'hosts.url') }
  const isUrl = ['http:', 'https:'].includes(URL.parse(target.url)?.protocol ?? '')
  if (!isUrl) throw new Error(`"hosts.url" of ${target.name} is no http or https URL`)
  if (secretFile !== undefined) target.secretFile = string(secretFile, 'hosts.secretFile')
  return target
}

function readHostKey(value: unknown): TrustedKey {
  const key = readKey(value)
  if (key === undefined) throw new Error('"beside.trusted" is no key')
  return key
}

function readEdition(value: unknown, where: string) {
  const { text, serial, fingerprints } = record(value, where)
  if (typeof serial !== 'number') throw new Error(`"${where}.serial" is no number`)
  const edition = {
    text: string(text, `${where}.text`),
    serial,
    fingerprints: strings(fingerprints, `${where}.fingerprints`),
  }
  // It will be published as it stands, and hosts are asked for these keys: an editor may have slipped.
  const bundle = parseBundle(Buffer.from(edition.text))
  if (bundle.kind === 'refused') throw new Error(`"${where}.text" is no bundle: ${bundle.message}`)
  const held = bundle.keys.map(key => key.fingerprint)
  if (bundle.serial !== serial || held.join() !== edition.fingerprints.join()) {
    throw new Error(`"${where}.text" has not the serial and the fingerprints beside it`)
  }
  return edition
}

const OPTIONAL = [
  'secretFile',
  'caFile',
  'publishCommand',
  'proveCommand',
  'timeout',
  'concurrency',
] as const

function readSettings(value: unknown): Settings {
  const read = record(value, 'settings')
  const settings: Settings = { bundle: string(read.bundle, 'settings.bundle') }
  for (const name of OPTIONAL) {
    if (read[name] !== undefined) settings[name] = string(read[name], `settings.${name}`)
  }
  return settings
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new Error(`"${where}" holds no settings`)
}

function list(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value
  throw new Error(`"${where}" is no list`)
}

function strings(value: unknown, where: string): string[] {
  return list(value, where).map(each => string(each, where))
}

function string(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw new Error(`"${where}" is no text`)
}

import { realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atLine } from '../../core/basics/format-place.ts'
import { optional } from '../../core/basics/when-defined.ts'
import type { Config } from '../../core/config/config.ts'
import { CREDENTIALS, credentialIn } from '../../core/config/credentials.ts'
import { SettingFileError } from '../../core/config/setting-file-error.ts'
import type { SettingName } from '../../core/config/settings.ts'
import { parseWebhookSecrets } from '../../core/config/webhook-secrets.ts'
import { BadRootsError, parseRoots } from '../../core/network/pem-roots.ts'
import { hiddenFrom, isReadOnlyFolder, type Wing } from '../../core/services/hidden-places.ts'
import { parseAllowedSigners } from '../../core/trust/allowed-signers.ts'
import { checkTlsPair } from '../../daemon/webhook/tls-pair.ts'
import { realFileSystem } from '../../provisioner/files/file-system.ts'
import { readNamedFile } from '../../provisioner/files/named-file.ts'
import { readSigners } from '../../provisioner/observe/read-signers.ts'
import { localTime } from '../../provisioner/openssh/local-time.ts'
import { obstacleAt } from '../../provisioner/records/textfile.ts'

/** A file that a setting names and that is not what it should be. */
export interface FileFault {
  setting: SettingName
  /** With the file's path, and its line where that is known; and what to do. */
  message: string
  /** A line to write, as it stands. */
  write?: string
  /** Nothing of ours depends on it: no reason to refuse what was not asked for by it. */
  bearable?: true
  /** It is as it should be, and will not stay so. */
  passing?: true
}

/** What a file holds, under the path that its author knows it by. */
interface Named {
  path: string
  text: string
}

/** What is wrong with a text; `line` counts from 1. */
interface Fault {
  line?: number
  problem: string
  write?: string
}

const REMEDY = {
  'source.token_file': 'write the token into it, or take the setting out',
  'source.ca_file': 'write the CA certificates into it, in PEM',
  'webhook.secret_file': 'write the whsec_… secret into it',
  'webhook.tls_cert_file': 'give the certificate in PEM',
  'webhook.tls_key_file': 'give its private key in PEM',
  'trust.signers_file': 'write who signs bundles into it, one allowed_signers line each',
} as const satisfies Partial<Record<SettingName, string>>

/** Where else to have our services write what they can't write there. */
const PLACE: Partial<Record<SettingName, string>> = {
  'sshd.ca_file': '/var/lib/pomerium',
  'sshd.drop_in': '/etc/ssh/sshd_config.d',
  'metrics.textfile': '/var/lib/prometheus/node-exporter',
}

/**
 * Looks at each file that a setting names, and changes nothing: that it is there, is what it should be,
 * and can be seen by the service that needs it. `copies` are contents that are about to be laid where the
 * settings say, by the path they came from; `sandboxed`: the services have a sandbox.
 */
export function checkFiles(
  config: Config,
  copies: ReadonlyMap<SettingName, { path: string; content: Buffer }>,
  { sandboxed }: { sandboxed: boolean },
): FileFault[] {
  const faults: FileFault[] = []
  const read = (setting: keyof typeof REMEDY, path: string): Named | undefined => {
    const copy = copies.get(setting)
    const file = copy === undefined ? readNamedFile(path) : { kind: 'file' as const, ...copy }
    const shown = copy?.path ?? path
    const bad = (problem: string) =>
      void faults.push({ setting, message: `${shown} ${problem}; ${REMEDY[setting]}` })
    if (file.kind !== 'file') return bad(file.problem)
    const text = file.content.toString()
    if (text.trim() === '') return bad('is empty')
    if (file.content.includes(0)) return bad('holds a NUL byte, and so is no text')
    return { path: shown, text }
  }
  const judge = (
    setting: keyof typeof REMEDY,
    path: string | undefined,
    check: (text: string) => Fault[],
  ) => {
    const named = path === undefined ? undefined : read(setting, path)
    for (const { problem, line, write } of named === undefined ? [] : check(named.text)) {
      const place = line === undefined ? named?.path : `${atLine(named?.path ?? '', line)}:`
      faults.push({ setting, message: `${place} ${problem}`, ...optional('write', write) })
    }
    return named
  }
  const seen = (wing: Wing, setting: SettingName, path: string) => {
    const written = PLACE[setting] !== undefined
    const fault = sandboxed ? (hiddenAt(wing, path) ?? readOnlyAt(path, written)) : undefined
    if (fault === undefined) return true
    const place = PLACE[setting] ?? '/etc/pomerium'
    faults.push({ setting, message: `${fault}; keep it elsewhere, as in ${place}` })
    return false
  }

  const { source, webhook, trust, metrics, sshd } = config
  const sourceFile = filePath(source.url)
  if (sourceFile !== undefined && seen('network', 'source.url', sourceFile)) {
    const fault = sourceFault(sourceFile)
    if (fault !== undefined) faults.push({ setting: 'source.url', ...fault })
  }
  judge('source.token_file', source.tokenFile, tokenFaults)
  judge('source.ca_file', source.caFile, rootsFaults)
  const signers = trust.signersFile
  if (signers !== undefined && seen('root', 'trust.signers_file', signers)) {
    const before = faults.length
    judge('trust.signers_file', signers, signersFaults)
    if (faults.length === before && !copies.has('trust.signers_file')) {
      const place = { fs: realFileSystem, at: (path: string) => path, owner: { uid: 0, gid: 0 } }
      const taken = readSigners(place, signers)
      if (taken.kind !== 'signers') {
        faults.push({ setting: 'trust.signers_file', message: taken.message })
      }
    }
  }
  seen('root', 'sshd.ca_file', sshd.caFile)
  seen('root', 'sshd.drop_in', sshd.dropIn)
  judge('webhook.secret_file', webhook.secretFile, secretsFaults)
  const cert = judge('webhook.tls_cert_file', webhook.tlsCertFile, () => [])
  const key = judge('webhook.tls_key_file', webhook.tlsKeyFile, () => [])
  if (cert !== undefined && key !== undefined) faults.push(...tlsFaults(cert, key))
  const { textfile } = metrics
  if (textfile !== undefined && seen('root', 'metrics.textfile', textfile)) {
    const message = obstacleAt({ fs: realFileSystem, at: path => path }, textfile)
    if (message !== undefined) faults.push({ setting: 'metrics.textfile', message, bearable: true })
  }
  return [...faults, ...passing(config, copies)]
}

// By its own name, and by the one that its links lead to.
function hiddenAt(wing: Wing, path: string): string | undefined {
  for (const place of [path, realPath(path) ?? realPath(dirname(path))]) {
    const hidden = place === undefined ? undefined : hiddenFrom(wing, place)
    if (hidden !== undefined) return `${path} lies in ${hidden.folder}, ${hidden.why}`
  }
  return undefined
}

function readOnlyAt(path: string, written: boolean): string | undefined {
  const folder = dirname(path)
  if (!written || !isReadOnlyFolder(folder)) return undefined
  return `${path} can't be written: for our services ${folder} is read-only`
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

function filePath(url: URL | undefined): string | undefined {
  if (url?.protocol !== 'file:') return undefined
  try {
    return fileURLToPath(url)
  } catch {
    // An encoded slash: said by whoever fetches.
    return undefined
  }
}

// What it holds is a bundle or not, which is for the fetch and the root wing to say.
function sourceFault(path: string): Pick<FileFault, 'message' | 'bearable'> | undefined {
  const remedy = 'publish the CA keys there, or change the setting'
  try {
    if (statSync(path).isFile()) return undefined
    return { message: `${path} is not a regular file; ${remedy}` }
  } catch {
    const file = readNamedFile(path)
    return file.kind === 'file'
      ? undefined
      : { message: `${path} ${file.problem}; ${remedy}`, bearable: true }
  }
}

function tokenFaults(text: string): Fault[] {
  const token = text.trim()
  // RFC 6750, 2.1.
  if (/^[\x21-\x7e]+$/.test(token)) return []
  return token.includes('\n')
    ? [{ problem: 'holds more than one line; write the token alone into it' }]
    : [{ problem: 'holds what no token can; write the token alone into it' }]
}

function rootsFaults(text: string): Fault[] {
  try {
    parseRoots(text)
    return []
  } catch (error) {
    if (!(error instanceof BadRootsError)) throw error
    const what = error.line === undefined ? 'holds no certificate' : 'a damaged certificate'
    return [{ ...optional('line', error.line), problem: `${what}; ${REMEDY['source.ca_file']}` }]
  }
}

function secretsFaults(text: string): Fault[] {
  try {
    parseWebhookSecrets(text)
    return []
  } catch (error) {
    if (!(error instanceof SettingFileError)) throw error
    return [{ ...optional('line', error.line), problem: error.problem }]
  }
}

function signersFaults(text: string): Fault[] {
  const parsed = parseAllowedSigners(text, localTime)
  if ('signers' in parsed) return []
  return parsed.faults.map(({ line, message, instead }) => ({
    ...optional('line', line),
    problem: instead === undefined ? message : `${message}; write in its place:`,
    ...optional('write', instead),
  }))
}

function tlsFaults(cert: Named, key: Named): FileFault[] {
  try {
    checkTlsPair(cert, key)
    return []
  } catch (error) {
    if (!(error instanceof SettingFileError)) throw error
    return [{ setting: error.setting, message: error.problem }]
  }
}

// systemd hands them over from wherever they lie, for as long as they do.
function passing(config: Config, copies: ReadonlyMap<SettingName, unknown>): FileFault[] {
  return CREDENTIALS.flatMap(setting => {
    const path = credentialIn(config, setting)
    if (path === undefined || copies.has(setting) || !/^(\/var)?\/tmp\//.test(path)) return []
    const message = `${path} is gone once ${dirname(path)} is cleaned up; keep it in /etc/pomerium`
    return [{ setting, message, passing: true as const }]
  })
}

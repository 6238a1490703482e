import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { optional } from '../../core/basics/when-defined.ts'
import { isRevokedKeys } from '../../core/config/layout.ts'
import { findForeignCas } from '../../core/foreign/foreign-ca.ts'
import { type FoundFiles, findFound } from '../../core/host/found-files.ts'
import type {
  FileState,
  Observation,
  ServiceState,
  SshdState,
  Unseen,
} from '../../core/host/observation.ts'
import { outrankingPaths } from '../../core/host/place-drop-in.ts'
import {
  type KeyList,
  type RevokedKeysFault,
  revokedKeysFiles,
} from '../../core/host/revoked-keys.ts'
import { type Proof, proofsFor } from '../../core/host/trust-proofs.ts'
import { formerPlaces, type Written, withoutFormer } from '../../core/host/written-files.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import type { ConfigSnapshot } from '../../core/sshd-config/config-snapshot.ts'
import type { Directive } from '../../core/sshd-config/directive.ts'
import { reachOf } from '../../core/sshd-config/include-reach.ts'
import { errorCode } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { readForeignCaFile, realPlace } from './foreign-ca-file.ts'
import { lookAtRevokedKeys } from './read-revoked-keys.ts'
import { snapshotConfig } from './snapshot-config.ts'

/** What of the provisioner's memory a plan is made from. */
export type Remembered = Pick<Observation, 'restartDue' | 'written' | 'madeFolders'>

/** Looks at the host and changes nothing; what can't be seen is said, not guessed. */
export async function observe(
  host: Host,
  { restartDue, written = [], madeFolders = [] }: Remembered,
  acceptFrom?: readonly string[],
): Promise<Observation> {
  const { layout } = host
  const unseen: Unseen[] = []
  const [proof] = proofsFor(acceptFrom)
  const { config, directives, endless, unclear } = await snapshotConfig(host, unseen)
  // sshd takes longer than the rest of our own looking, which is done meanwhile.
  const asked = endless === undefined ? observeSshd(host, proof, unseen) : stuckOn(endless)
  asked.catch(() => {}) // awaited below, where nothing throws before
  const files = lookAtAll(host, config, written, unseen)
  const found = findFound({ files, written, config }, layout)
  const folders = [layout.caFolder.path, layout.dropInFolder.path, dirname(config.main)]
  const sshd = await asked
  return {
    files,
    written,
    found,
    madeFolders,
    config,
    ...optional('unclear', unclear),
    commandLine: host.commandLine ?? [],
    includes: await knowsInclude(host, directives),
    foreignCaFiles: readForeignCaFiles(host, { files, written, config, found }, unseen),
    unwritable: new Map(folders.flatMap(path => unwritable(host, path))),
    restartDue,
    ...lookAtLists(host, config, sshd, written),
    sshd,
    service: await observeService(host, unseen),
    owner: host.owner,
    tree: host.tree,
    unseen,
  }
}

function lookAtAll(
  host: Host,
  config: ConfigSnapshot,
  written: readonly Written[],
  unseen: Unseen[],
): Map<string, FileState> {
  const { caFolder, caFile, revokedKeys, dropInFolder, dropIn } = host.layout
  const places = [caFolder, caFile, revokedKeys, dropInFolder, dropIn].map(({ path }) => path)
  const all = [
    ...places,
    ...outrankingPaths(host.layout),
    config.main,
    ...written.map(({ path }) => path),
  ]
  return new Map(
    all.map(path => {
      // The administrator may have linked sshd's main file elsewhere; it is theirs.
      const state = lookAt(host.fs, host.at(path))
      if (state.kind === 'unseen') unseen.push({ what: path, why: 'only root may read it' })
      return [path, state]
    }),
  )
}

async function observeSshd(host: Host, proof: Proof, unseen: Unseen[]): Promise<SshdState> {
  if (host.sshd === undefined) return { kind: 'absent' }
  if (!host.isRoot) {
    unseen.push({ what: 'what sshd uses (sshd -T)', why: 'only root may read its host keys' })
    return { kind: 'unseen' }
  }
  try {
    // `sshd -T` does all that `sshd -t` does, and then prints (sshd.c).
    return { kind: 'readable', effective: await host.sshd.effective(proof) }
  } catch (error) {
    const test = await host.sshd.test()
    // `sshd -t` passes some configurations that every connection then dies of.
    return { kind: 'broken', message: test.ok ? messageOf(error) : test.message }
  }
}

async function stuckOn(endless: string): Promise<SshdState> {
  return { kind: 'broken', message: `${endless}, and sshd waits for its end` }
}

// sshd is asked for its version only where the answer matters: where no Include is seen to work.
async function knowsInclude(host: Host, directives: readonly Directive[]): Promise<boolean> {
  const { path } = host.layout.dropIn
  if (host.sshd === undefined || reachOf(path, directives).kind === 'reached') return true
  const version = await host.sshd.version()
  return version === undefined || version.major > 8 || (version.major === 8 && version.minor >= 2)
}

// What is to be given back at former places names files too.
function readForeignCaFiles(
  host: Host,
  { found, ...seen }: Pick<Observation, 'files' | 'written' | 'config'> & { found: FoundFiles },
  unseen: Unseen[],
) {
  const { layout } = host
  const config = withoutFormer(seen.config, formerPlaces(seen, layout))
  const names = findForeignCas({ config, found }, layout).flatMap(({ file }) => file ?? [])
  const foundOurs = found.has(layout.caFile.path)
  return new Map(
    [...new Set(names)].map(file => [file, readForeignCaFile(host, file, unseen, foundOurs)]),
  )
}

// access(2) answers EROFS to root too; other refusals show at the first write, and are undone.
function unwritable(host: Host, path: string): [string, string][] {
  return isReadOnly(host, path) ? [[path, 'read-only file system']] : []
}

function isReadOnly(host: Host, path: string): boolean {
  try {
    host.fs.accessSync(host.at(path), constants.W_OK)
    return false
  } catch (error) {
    // A folder that is yet to be made: the one to make it in decides.
    if (errorCode(error) === 'ENOENT' && path !== '/') return isReadOnly(host, dirname(path))
    return errorCode(error) === 'EROFS'
  }
}

// Every file that some RevokedKeys names: what is wrong with it, or what it holds.
function lookAtLists(
  host: Host,
  config: ConfigSnapshot,
  sshd: SshdState,
  written: readonly Written[],
) {
  const [used = 'none'] = (sshd.kind === 'readable' && sshd.effective.get('revokedkeys')) || []
  const named = [...revokedKeysFiles(config), ...(used === 'none' ? [] : [used])]
  const revokedKeys = new Map<string, RevokedKeysFault>()
  const revokedLists = new Map<string, KeyList>()
  for (const path of new Set(named)) {
    const seen = lookAtRevokedKeys(host, path)
    if (seen === undefined) continue
    if (seen.kind === 'list' || seen.kind === 'krl') revokedLists.set(path, seen)
    else revokedKeys.set(path, seen)
  }
  const own = [host.layout.revokedKeys, ...written].map(({ path }) => path).filter(isRevokedKeys)
  const places = new Map(own.map(path => [realPlace(host, path), path]))
  const listNames = new Map(
    named.flatMap(name => {
      const path = own.includes(name) ? undefined : places.get(realPlace(host, name) ?? name)
      return path === undefined ? [] : [[name, path] as const]
    }),
  )
  return { revokedKeys, revokedLists, listNames }
}

async function observeService(host: Host, unseen: Unseen[]): Promise<ServiceState> {
  try {
    return await host.service.state()
  } catch (error) {
    if (host.isRoot) throw error
    unseen.push({ what: 'the ssh service', why: error instanceof Error ? error.message : '' })
    return { kind: 'none' }
  }
}

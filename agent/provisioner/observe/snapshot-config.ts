import { optional } from '../../core/basics/when-defined.ts'
import type { Unseen } from '../../core/host/observation.ts'
import { bytesOf, showBytes } from '../../core/sshd-config/bytes.ts'
import { type ConfigSnapshot, scanOf } from '../../core/sshd-config/config-snapshot.ts'
import type { Directive } from '../../core/sshd-config/directive.ts'
import { scanSshdConfig } from '../../core/sshd-config/scan.ts'
import { type Syntax, syntaxOf } from '../../core/sshd-config/syntax.ts'
import { namesIn, readWhole } from '../files/config-files.ts'
import { underRoot } from '../files/under-root.ts'
import type { Host } from '../host/host.ts'

/** sshd's configuration, and what in it no sshd could ever read to its end. */
export interface SnapshotTaken {
  config: ConfigSnapshot
  directives: readonly Directive[]
  /** As a sentence's beginning, with the path. */
  endless?: string
  /** Where sshds before and since 8.7 trust by different lines, and none is here to say which it is. */
  unclear?: Directive
}

const leadsTo = ({ fs, at }: Host, path: string) =>
  underRoot(fs, bytesOf(Buffer.from(at('/'))), path, 'follow')

const outline = (directives: readonly Directive[]) =>
  directives.map(({ file, line, keyword, args }) => JSON.stringify([file, line, keyword, args]))

const DECIDING = ['include', 'match', 'trustedusercakeys']

/** The first line that decides whom sshd trusts, in one reading and not in the other. */
function firstDifference(one: readonly Directive[], other: readonly Directive[]) {
  const deciding = [one, other].map(all => all.filter(({ keyword }) => DECIDING.includes(keyword)))
  const [mine = [], theirs = []] = deciding
  const [mineTold, theirsTold] = [outline(mine), outline(theirs)]
  const longer = mine.length < theirs.length ? theirs : mine
  return longer.find((_, at) => mineTold[at] !== theirsTold[at])
}

/** Reads all files of sshd's configuration, starting where sshd starts, and keeps what they hold. */
export async function snapshotConfig(host: Host, unseen: Unseen[]): Promise<SnapshotTaken> {
  const texts = new Map<string, string>()
  const folders = new Map<string, readonly string[]>()
  let endless: string | undefined
  const tell = (path: string, code: string) => {
    if (code === 'EACCES') unseen.push({ what: showBytes(path), why: 'only root may read it' })
  }
  const read = (path: string) => {
    const kept = texts.get(path)
    if (kept !== undefined) return kept
    const file = readWhole(host, path)
    if (file.kind === 'bytes') {
      const text = bytesOf(file.content)
      texts.set(path, text)
      return text
    }
    if (file.kind === 'endless') endless ??= `${showBytes(path)} is ${file.what}`
    else tell(path, file.code)
    return undefined
  }
  const list = (folder: string) => {
    const kept = folders.get(folder)
    if (kept !== undefined) return kept
    const listed = namesIn(host, folder)
    if ('code' in listed) tell(folder, listed.code)
    const names = 'code' in listed ? [] : listed.names
    folders.set(folder, names)
    return names
  }
  const own = host.layout.dropInFolder.path
  const spellings = new Map<string, string>()
  const known = (folder: string) => {
    if (folder !== own && !spellings.has(folder)) {
      spellings.set(folder, leadsTo(host, folder) === leadsTo(host, own) ? own : folder)
    }
    return spellings.get(folder) ?? folder
  }
  const main = host.mainConfig
  const scan = (syntax: Syntax) =>
    scanSshdConfig(main, { read, list: folder => list(known(folder)), known }, syntax)
  const newer = scan('since-8.7')
  const older = scan('before-8.7')
  // sshd is asked for its version only where the answer matters.
  const isAlike = outline(newer).join() === outline(older).join()
  const version = isAlike ? undefined : await host.sshd?.version()
  const syntax = syntaxOf(version)
  const unclear = isAlike || version !== undefined ? undefined : firstDifference(newer, older)
  // Where our drop-ins would lie, also if nothing includes that folder yet.
  list(own)
  const config = { main, texts, folders, spellings, syntax }
  return {
    config,
    directives: scanOf(config),
    ...optional('endless', endless),
    ...optional('unclear', unclear),
  }
}

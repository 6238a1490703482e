// All files of a host under a temporary folder, to compare with and to go back to.

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** By path: the mode, and the content of a file. */
export type HostTree = ReadonlyMap<string, { mode: number; content?: string }>

/** What the program may leave: names of files that are not whole yet, and the journal. */
const LITTER = /(\.pomerium-host-agent|\/journal\.json)$/
/** What says nothing of the host's state: our own folder, the lock in it, the last outcome. */
const BESIDE = /^\/(run|var\/lib\/pomerium-host-agent$|var\/lib\/pomerium-host-agent\/lock$)/

/** Everything that is about the host's state, without litter. */
export function readTree(root: string): HostTree {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(name => `/${name}`)
  const kept = names.sort().filter(name => !LITTER.test(name) && !BESIDE.test(name))
  return new Map(
    kept.map(name => {
      const path = join(root, name)
      const stat = statSync(path)
      const mode = stat.mode & 0o7777
      return [name, stat.isFile() ? { mode, content: readFileSync(path, 'utf8') } : { mode }]
    }),
  )
}

/** Makes the host be as `tree`, and nothing else. */
export function writeTree(root: string, tree: HostTree): void {
  for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true })
  mkdirSync(join(root, 'run'))
  for (const [name, { mode, content }] of tree) {
    const path = join(root, name)
    mkdirSync(content === undefined ? path : dirname(path), { recursive: true })
    if (content !== undefined) writeFileSync(path, content)
    chmodSync(path, mode)
  }
}

/** What a run has left behind that was cut off. */
export function litterIn(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return names.map(name => `/${name}`).filter(name => LITTER.test(name))
}

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { mapOf, parseForm, shape, text } from '../../../core/basics/stored-form.ts'
import { realFileSystem } from '../../files/file-system.ts'
import { lookAt } from '../../files/read-file-state.ts'
import type { Site } from '../../installation/install-record.ts'

// insserv(8) numbers every script of the host anew when one is added, and anew when it is removed,
// and does not come back to where it was. What it had made is kept aside.

const DEPENDENCIES = ['boot', 'start', 'stop'].map(name => `/etc/init.d/.depend.${name}`)

interface BootOrder {
  /** Where each link of /etc/rc?.d leads. */
  links: Record<string, string>
  dependencies: Record<string, string>
}

const isBootOrder = shape({ links: mapOf(text), dependencies: mapOf(text) })

/** Keeps the order of the boot, before the first script of ours is told of. */
export function keepBootOrder(site: Site): void {
  const place = placeOf(site)
  if (existsSync(place)) return
  mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
  writeFileSync(place, JSON.stringify(read(site)), { mode: 0o600 })
}

/** Puts it back, once ours are gone, unless somebody else has added or taken away a script since. */
export function restoreBootOrder(site: Site): void {
  const place = placeOf(site)
  const kept = lookAt(realFileSystem, place)
  const before = kept.kind === 'file' ? parseForm(kept.content.toString(), isBootOrder) : undefined
  // Without it the order is insserv's own, which is as good.
  if (before === undefined) return
  const now = read(site)
  if (signature(before) !== signature(now)) return
  for (const path of Object.keys(now.links)) {
    if (before.links[path] !== now.links[path]) rmSync(site.at(path))
  }
  for (const [path, target] of Object.entries(before.links)) {
    if (before.links[path] !== now.links[path]) symlinkSync(target, site.at(path))
  }
  for (const [path, content] of Object.entries(before.dependencies)) {
    if (content !== now.dependencies[path]) writeFileSync(site.at(path), content)
  }
}

// What starts and stops in which runlevel, whatever its number.
function signature({ links }: BootOrder): string {
  const scripts = Object.entries(links).map(([path, target]) => {
    return `${path.replace(/\/([SK])\d+/, '/$1')} ${target}`
  })
  return scripts.toSorted().join('\n')
}

function read({ at }: Site): BootOrder {
  const links: BootOrder['links'] = {}
  for (const level of ['0', '1', '2', '3', '4', '5', '6', 'S']) {
    const folder = `/etc/rc${level}.d`
    if (!existsSync(at(folder))) continue
    for (const name of readdirSync(at(folder))) {
      const path = join(folder, name)
      if (lstatSync(at(path)).isSymbolicLink()) links[path] = readlinkSync(at(path))
    }
  }
  const there = DEPENDENCIES.filter(path => existsSync(at(path)))
  const texts = there.map(path => [path, readFileSync(at(path), 'utf8')])
  return { links, dependencies: Object.fromEntries(texts) }
}

const placeOf = ({ at, recordFile }: Site) => join(dirname(at(recordFile)), 'boot-order.json')

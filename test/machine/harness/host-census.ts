// Every file of a host, to be compared: what an uninstall leaves, what a second run touches.

import type { Host } from './host.ts'

// What a host writes by itself from one minute to the next.
const RESTLESS = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/tmp',
  '/var/log',
  '/var/tmp',
  '/var/lib/systemd',
  // dpkg-db-backup.timer writes there at midnight.
  '/var/backups',
]

// Where nobody but dpkg writes: size and mtime say there what a hash would, and spare each look the reading
// of some hundred megabytes.
const OF_PACKAGES = ['/usr/bin', '/usr/lib', '/usr/libexec', '/usr/sbin', '/usr/share']

const prune = (paths: readonly string[]) => paths.flatMap(path => ['-path', path, '-prune', '-o'])

/**
 * Kind, mode, owner and content (or where it leads) of every file below `places`, by path; of a file of
 * the system's packages its size and mtime in place of the content.
 */
export async function census(
  host: Host,
  places: readonly string[] = ['/'],
): Promise<Map<string, string>> {
  const find = ['find', ...places, '-xdev', ...prune(RESTLESS)]
  const packaged = OF_PACKAGES.flatMap(path => ['-o', '-path', `${path}/*`]).slice(1)
  const { stdout } = await host.exec([
    ...[...find, '-type', 'f', '(', ...packaged, ')', '-printf', '%p\\t%y %m %U:%G %s %T@\\n'],
    ...['-o', '-printf', '%p\\t%y %m %U:%G %l\\n'],
  ])
  const hash = [...prune(OF_PACKAGES), '-type', 'f', '-exec', 'sha256sum', '{}', '+']
  const hashes = await host.exec([...find, ...hash])
  const all = new Map(stdout.split('\n').map(line => line.split('\t') as [string, string]))
  for (const line of hashes.stdout.split('\n').filter(Boolean)) {
    const path = line.slice(66)
    all.set(path, `${all.get(path)} ${line.slice(0, 64)}`)
  }
  return all
}

/** Inode, time and access of every file where we write, by path. */
export async function touches(host: Host): Promise<Map<string, string>> {
  const folders = ['/etc', '/usr/local', '/var/lib', '-path', '/var/lib/systemd', '-prune', '-o']
  const { stdout } = await host.exec(['find', ...folders, '-printf', '%p\\t%i %T@ %C@ %m %U:%G\\n'])
  return new Map(stdout.split('\n').map(line => line.split('\t') as [string, string]))
}

/** The paths in which two looks differ, each with what it was and what it is. */
export function difference(before: Map<string, string>, after: Map<string, string>): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return paths
    .filter(path => before.get(path) !== after.get(path))
    .map(path => `${path}: ${before.get(path) ?? 'nothing'} → ${after.get(path) ?? 'nothing'}`)
}

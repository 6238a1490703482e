import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../../agent/cli/host/load-config.ts'
import type { HostFlags } from '../../../agent/cli/terminal/flags.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'load-config-'))
  mkdirSync(join(folder, 'pomerium'))
  file = join(folder, 'pomerium', 'host-agent.yaml')
  writeFileSync(file, 'source: {url: https://ssh-ca.example.com/bundle}\n', { mode: 0o640 })
})
afterEach(() => rmSync(folder, { recursive: true }))

const load = (root: string, isRoot = true) => {
  const flags: HostFlags = { json: false, config: file, root }
  return loadConfig(flags, { args: [], environment: {}, isRoot, self: [], version: '0' })
}

test.each<[string, () => void]>([
  ['a folder', () => mkdirSync(file)],
  ['a pipe that nobody writes to', () => void execFileSync('mkfifo', [file])],
  ['more than any config', () => writeFileSync(file, '#'.repeat(300_000))],
])('%s is no config, and is not waited for', (_, put) => {
  rmSync(file)
  put()
  expect(() => load(folder)).toThrow(/host-agent\.yaml is not a file of at most 256 KiB/)
})

// Who may chown is root, and so is who runs the machine tier.
describe.runIf(process.getuid?.() === 0)('what root acts by is root’s alone to write', () => {
  test('as the installer lays it, it is', () => {
    expect(load('/').source.url?.href).toBe('https://ssh-ca.example.com/bundle')
  })

  test.each<[string, () => void, RegExp]>([
    ['a file for all to write', () => chmodSync(file, 0o646), /yaml can be written by others/],
    ['for its group to write', () => chmodSync(file, 0o660), /yaml can be written by others/],
    ['a file of another user', () => chownSync(file, 4711, 0), /yaml belongs to user 4711/],
    ['its folder', () => chownSync(join(folder, 'pomerium'), 4711, 0), /pomerium belongs to user/],
    ['a folder above that', () => chmodSync(folder, 0o777), /load-config-\w+ can be written by/],
  ])('%s: refused, by name', (_, harm, words) => {
    harm()
    expect(() => load('/')).toThrow(words)
    expect(() => load('/')).toThrow(/who can change .*host-agent\.yaml decides what root does here/)
    expect(load(folder).source.url).toBeDefined()
    expect(load('/', false).source.url).toBeDefined()
  })
})

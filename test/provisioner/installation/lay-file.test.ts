import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSite } from '../../../agent/provisioner/installation/install-record.ts'
import { dropFile, layFile } from '../../../agent/provisioner/installation/lay-file.ts'

const FILE = '/etc/rc.d/ours'
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

function laid() {
  const root = mkdtempSync(join(tmpdir(), 'lay-file-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const site = openSite(path => join(root, path), '/record.json')
  layFile(site, { path: FILE, content: 'ours\n', mode: 0o755, ...owner })
  return { root, site }
}

test('a file of ours is dropped, with the folder that was made for it', () => {
  const { root, site } = laid()
  dropFile(site, FILE)
  expect(readdirSync(join(root, 'etc'))).toEqual([])
})

test('a folder that somebody has put in its place stays', () => {
  const { root, site } = laid()
  rmSync(join(root, FILE))
  mkdirSync(join(root, FILE))
  dropFile(site, FILE)
  expect(readdirSync(join(root, 'etc/rc.d'))).toEqual(['ours'])
})

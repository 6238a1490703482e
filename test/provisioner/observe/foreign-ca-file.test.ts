import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { ForeignCaFile, Unseen } from '../../../agent/core/host/observation.ts'
import { readForeignCaFile } from '../../../agent/provisioner/observe/foreign-ca-file.ts'
import { type TemporaryHost, temporaryHost } from '../temporary-host.ts'

const PASSWD = `root:x:0:0:root:/root:/bin/bash
toor:x:0:0::/elsewhere:/bin/sh
alice:x:1000:1000::/home/alice/:/bin/sh
nowhere:x:1001:1001::none:/bin/sh
`

describe('the file that another owner’s line names', () => {
  let it: TemporaryHost
  beforeEach(async () => {
    it = await temporaryHost()
    for (const folder of ['root', 'home/alice', 'var/lib/pomerium', 'etc/x']) {
      mkdirSync(join(it.root, folder), { recursive: true })
    }
    writeFileSync(join(it.root, 'etc/passwd'), PASSWD)
    for (const path of ['root/ca.pub', 'home/alice/ca.pub', 'etc/ca.pub', 'etc/%u.pub']) {
      writeFileSync(join(it.root, path), path)
    }
    return () => it[Symbol.dispose]()
  })
  const link = (to: string, path: string) => symlinkSync(to, join(it.root, path))
  const read = (name: string, tree = false): ForeignCaFile =>
    readForeignCaFile({ ...it.host, tree }, name, [])

  test.each([
    ['/etc/ca.pub', '/etc/ca.pub', 'etc/ca.pub'],
    ['/etc/%u.pub', '/etc/%u.pub', 'etc/%u.pub'],
    ['~/ca.pub', '/root/ca.pub', 'root/ca.pub'],
    ['~root/ca.pub', '/root/ca.pub', 'root/ca.pub'],
    ['~alice/ca.pub', '/home/alice/ca.pub', 'home/alice/ca.pub'],
  ])('%s is %s', (name, path, content) => {
    expect(read(name)).toEqual({ kind: 'read', path, content: Buffer.from(content) })
  })

  test.each([
    ['ca.pub', 'a relative path'],
    ['', 'a relative path'],
    ['~', 'it is a folder'],
    ['~bob/ca.pub', 'no home for bob'],
    ['~nowhere/ca.pub', 'no home for nowhere'],
    ['~__proto__/ca.pub', 'no home for __proto__'],
    ['/etc/ca.pub/x', 'it is missing'],
    ['/none', 'it is missing'],
    ['/etc', 'it is a folder'],
    [`/${'x'.repeat(300)}`, 'ENAMETOOLONG'],
    ['/etc/\0', 'ERR_INVALID_ARG_VALUE'],
  ])('%j can not be read: %s', (name, why) => {
    expect(read(name)).toMatchObject({ kind: 'unreadable', why: expect.stringContaining(why) })
  })

  test('a link that stays within its folder, on a host and in a tree', () => {
    link('../ca.pub', 'etc/x/link.pub')
    for (const tree of [false, true]) {
      const content = Buffer.from('etc/ca.pub')
      expect(read('/etc/x/link.pub', tree)).toEqual({
        kind: 'read',
        path: '/etc/x/link.pub',
        content,
      })
    }
  })

  test('an absolute link in a tree leads to a place in the tree', () => {
    link('/etc/passwd', 'etc/x/link.pub')
    link('/etc', 'etc/y')
    link('/../../etc/ca.pub', 'etc/x/up.pub')
    const content = (name: string) => {
      const file = read(name, true)
      return file.kind === 'read' ? file.content.toString() : file.kind
    }
    expect(content('/etc/x/link.pub')).toBe(PASSWD)
    expect(content('/etc/y/passwd')).toBe(PASSWD)
    expect(content('/etc/x/up.pub')).toBe('etc/ca.pub')
  })

  test('a name that is no text is a file all the same', () => {
    const name = Buffer.from('etc/m\xfcller.pub', 'latin1')
    writeFileSync(Buffer.concat([Buffer.from(`${it.root}/`), name]), 'latin1')
    expect(read('/etc/m\xfcller.pub', true)).toEqual({
      kind: 'read',
      path: '/etc/m\\xfcller.pub',
      content: Buffer.from('latin1'),
    })
  })

  test('our own file by another name holds nothing of theirs', () => {
    const { path } = it.host.layout.caFile
    writeFileSync(it.host.at(path), 'ours')
    link(it.host.at(path), 'etc/x/link.pub')
    expect(read('/etc/x/link.pub')).toEqual({ kind: 'ours' })
    // Unless others laid it there.
    expect(readForeignCaFile(it.host, '/etc/x/link.pub', [], true)).toMatchObject({
      content: Buffer.from('ours'),
    })
  })

  test('a user who may not read it is told so', () => {
    const unseen: Unseen[] = []
    const fs = {
      ...it.host.fs,
      openSync: () => {
        throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
      },
    }
    const host = { ...it.host, fs: fs as never }
    expect(readForeignCaFile(host, '/etc/ca.pub', unseen).kind).toBe('unreadable')
    expect(unseen).toEqual([])
    const other = { ...host, isRoot: false }
    expect(readForeignCaFile(other, '/etc/ca.pub', unseen).kind).toBe('unseen')
    expect(unseen).toHaveLength(1)
  })
})

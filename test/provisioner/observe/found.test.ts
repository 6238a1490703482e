// Files that lay in places of ours before us: remembered, given back, and back after a failure.

import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type FileSystem, realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import type { Host } from '../../../agent/provisioner/host/host.ts'
import { provision } from '../../../agent/provisioner/provision.ts'
import { remove } from '../../../agent/provisioner/remove.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { defaultConfig, type TemporaryHost, temporaryHost } from '../temporary-host.ts'

const [ours, next] = [newKeyLine('ed25519'), newKeyLine('ed25519')]
const CA = '/var/lib/pomerium/pomerium_user_ca_key.pub'
const DROP_IN = '/etc/ssh/sshd_config.d/pomerium-ca.conf'

describe('files that were found by our own names', () => {
  let it: TemporaryHost
  beforeEach(async () => {
    it = await temporaryHost()
    lay(CA, `${ours} by hand\n`, 0o640)
    lay(DROP_IN, `TrustedUserCAKeys ${CA}\n`, 0o644)
    return () => it[Symbol.dispose]()
  })
  const lay = (path: string, text: string, mode: number) => {
    mkdirSync(dirname(it.host.at(path)), { recursive: true })
    writeFileSync(it.host.at(path), text)
    chmodSync(it.host.at(path), mode)
  }
  const lying = () =>
    [CA, DROP_IN].map(path => {
      const at = it.host.at(path)
      return [readFileSync(at, 'utf8'), statSync(at).mode & 0o777]
    })
  const apply = async (key: string, host: Host = it.host) => {
    const config = defaultConfig()
    const bundle = Buffer.from(`${key}\n`)
    const request = { bundle, source: 'file:///b', config, now: new Date() }
    return (await provision(request, host)).outcome
  }

  test('are given back after a rotation', async () => {
    const before = lying()
    const first = await apply(ours)
    expect(first).toMatchObject({ outcome: 'applied', took_over: [{ file: DROP_IN, line: 1 }] })
    expect((await apply(next)).trusted).toHaveLength(1)
    const { outcome: removed } = await remove(it.host)
    expect(removed.message).toContain(`goes by ${DROP_IN}:1 (TrustedUserCAKeys ${CA}) again`)
    expect(lying()).toEqual(before)
  })

  test('are left by a remove where nothing was ever applied', async () => {
    const before = lying()
    expect((await remove(it.host)).outcome).toMatchObject({ outcome: 'unchanged', steps: [] })
    expect(lying()).toEqual(before)
  })

  test('go back to settings that no longer name their places', async () => {
    const before = lying()
    await apply(ours)
    const { host } = it
    const { layout } = host
    const elsewhere = '/etc/ssh/sshd_config.d/other.conf'
    const moved = { ...host, layout: { ...layout, dropIn: { ...layout.dropIn, path: elsewhere } } }
    const outcome = await apply(ours, moved)
    expect(outcome).toMatchObject({ outcome: 'applied', took_over: [{ file: DROP_IN }] })
    expect(lying()[1]).toEqual(before[1])
  })

  test.each([
    ['the owner is given back', false],
    ['in the sandbox, that gives no file away, all but the owner', true],
  ])('after a failure: %s', async (_, isConfined) => {
    const before = lying()
    const another = it.host.owner.uid + 1
    const given: number[] = []
    const fs = ownedBy(another, it.host.at(CA), uid => {
      if (isConfined && uid === another) throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
      given.push(uid)
    })
    const service: Host['service'] = {
      ...it.host.service,
      restart: async reason => {
        if (reason !== 'undo') throw new Error('it does not start')
        return 'restarted'
      },
    }
    expect(await apply(ours, { ...it.host, fs, service })).toMatchObject({ outcome: 'rolled-back' })
    expect(lying()).toEqual(before)
    expect(given.includes(another)).toBe(!isConfined)
  })
})

/** A file system on which the file at `path` is of another user, for who may not make it so. */
function ownedBy(uid: number, path: string, onChown: (uid: number) => void): FileSystem {
  const paths = new Map<number, unknown>()
  return {
    ...realFileSystem,
    openSync: (...args) => {
      const fd = realFileSystem.openSync(...args)
      paths.set(fd, args[0])
      return fd
    },
    fstatSync: ((fd: number) => {
      const stat = realFileSystem.fstatSync(fd)
      return paths.get(fd) === path ? Object.assign(stat, { uid }) : stat
    }) as FileSystem['fstatSync'],
    fchownSync: (_, to) => onChown(to),
  }
}

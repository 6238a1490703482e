import { copyFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { openSigner } from '../../../installer/signature.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { difference, touches } from '../harness/host-census.ts'
import { suitesFor } from '../harness/share.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import {
  copyRelease,
  RELEASE_URL,
  type ReleaseKit,
  releaseKit,
  sign,
} from '../hosts/release-kit.ts'

const NEWER = '99.0.0'
const archive = (version: string) => `pomerium-host-agent-${version}-linux-x64.tar`

const BOTH: ['gz', 'xz'] = ['gz', 'xz']

describeTier('a release that somebody has touched', machineTier(), () => {
  let kit: ReleaseKit
  let older: string
  let newer: string
  beforeAll(async () => {
    kit = await releaseKit()
    ;[older, newer] = [
      await kit.make({ compressions: BOTH }),
      await kit.make({ version: NEWER, compressions: BOTH }),
    ]
  })
  afterAll(() => kit?.[Symbol.asyncDispose]())

  const flip = async (path: string, at = 0.5) => {
    const bytes = await readFile(path)
    const index = Math.floor(bytes.length * at)
    bytes[index] = (bytes[index] ?? 0) ^ 1
    await writeFile(path, bytes)
  }
  const archives = (folder: string) =>
    ['gz', 'xz'].map(end => join(folder, `${archive(VERSION)}.${end}`))

  const SPOILT: [what: string, says: RegExp, spoil: (folder: string) => Promise<void>][] = [
    [
      'a byte of the archive',
      /not what SHA256SUMS says/,
      async at => {
        for (const path of archives(at)) await flip(path)
      },
    ],
    [
      'the archive’s end is missing',
      /not what SHA256SUMS says/,
      async at => {
        for (const path of archives(at)) await truncate(path, 1_000_000)
      },
    ],
    [
      'a byte of SHA256SUMS',
      /signature of SHA256SUMS is not good/,
      at => flip(join(at, 'SHA256SUMS'), 0.01),
    ],
    [
      'a byte of the signature',
      /signature of SHA256SUMS is not good/,
      at => flip(join(at, 'SHA256SUMS.sig')),
    ],
    ['no signature', /SHA256SUMS.sig could not be fetched/, at => rm(join(at, 'SHA256SUMS.sig'))],
    [
      'signed by somebody else',
      /signature of SHA256SUMS is not good/,
      async at => {
        using other = await openSigner(undefined)
        await sign(at, other)
      },
    ],
    [
      'an older signed release beside the newer script',
      new RegExp(`signed SHA256SUMS is not of ${NEWER}`),
      at => copyFile(join(newer, 'install.sh'), join(at, 'install.sh')),
    ],
    [
      'an older archive under the newer one’s name',
      /not what SHA256SUMS says/,
      async at => {
        for (const name of ['install.sh', 'SHA256SUMS', 'SHA256SUMS.sig'])
          await copyFile(join(newer, name), join(at, name))
        for (const path of archives(at)) await rename(path, path.replace(VERSION, NEWER))
      },
    ],
  ]

  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let it: BareHost
    beforeAll(async () => {
      it = await bootBareHost({ suite })
    })
    afterAll(() => it?.[Symbol.asyncDispose]())

    test('100 Continue and 103 Early Hints before each file are passed over', async () => {
      await it.offer(older)
      const interim = [...SOURCE, '--dry-run', '--download-url', `${RELEASE_URL}/interim`]
      expect(await it.install(interim)).toMatchObject({ code: 0, stderr: '' })
    })

    test.each(SPOILT)('%s: refused before anything is written', async (_, says, spoil) => {
      await using folder = await tempDir()
      const spoilt = await copyRelease(older, join(folder.path, 'release'))
      await spoil(spoilt)
      await it.offer(spoilt)
      const before = await touches(it.host)
      const { code, stdout, stderr } = await it.install()
      expect(code).not.toBe(0)
      expect(stderr).toMatch(says)
      expect(stdout).not.toMatch(/verified.*tar|installed|Try it/)
      if (/signature|fetched/.test(says.source)) expect(stdout).not.toContain('verified')
      expect(difference(before, await touches(it.host))).toEqual([])
      expect((await it.host.exec('ls -A /tmp | grep -c ^tmp; true')).stdout.trim()).toBe('0')
    })
  })
})

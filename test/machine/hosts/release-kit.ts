// Releases for tests: the program under test in an archive, of any version, signed by a test's key.

import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { execa } from 'execa'
import { inject } from 'vitest'
import { NOARCH_LAUNCHER, VERSION } from '../../../installer/build.ts'
import { layInstaller } from '../../../installer/release.ts'
import { openSigner, type Signer } from '../../../installer/signature.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

/** Where the host finds the release's files. */
export const RELEASE_URL = 'http://127.0.0.1:8080'

// Quick rather than small: an archive is read a few times, and then thrown away.
const PACK = {
  gz: async (archive: string, argv: readonly string[]) => {
    const tar = execa('tar', argv, { buffer: false })
    const packed = createGzip({ level: constants.Z_NO_COMPRESSION })
    await Promise.all([pipeline(tar.readable(), packed, createWriteStream(archive)), tar])
  },
  xz: (archive: string, argv: readonly string[]) =>
    execa('tar', ['-I', 'xz -0 -T2', '-f', archive, ...argv]),
}

export interface Recipe {
  version?: string
  /** As gz alone where not said; a host as debootstrap makes it has no xz. */
  compressions?: ('gz' | 'xz')[]
  /** Without Node inside. */
  noarch?: boolean
  /** Without the folder's URL in install.sh. */
  placeless?: boolean
  /** Changes to the program's folder before it is packed. */
  change?: (folder: string) => Promise<void>
}

export interface ReleaseKit extends AsyncDisposable {
  signer: Signer
  /** The folder of a release with all its files. */
  make(recipe?: Recipe): Promise<string>
}

export async function releaseKit(): Promise<ReleaseKit> {
  const folder = await tempDir()
  const signer = await openSigner(undefined)
  let count = 0
  return {
    signer,
    async make(recipe: Recipe = {}) {
      const { version = VERSION, compressions = ['gz'], noarch = false, change } = recipe
      const downloadUrl = recipe.placeless === true ? undefined : RELEASE_URL
      count += 1
      const release = join(folder.path, `release-${count}`)
      const name = `pomerium-host-agent-${version}`
      const program = join(release, name)
      await mkdir(release)
      await layProgram(program, version)
      if (noarch) {
        await rm(join(program, 'node'))
        await writeFile(join(program, 'pomerium-host-agent'), NOARCH_LAUNCHER)
      }
      await change?.(program)
      const pack = ['-C', release, '--owner=0', '--group=0', '--mode=u=rwX,go=rX', '-c', name]
      const archive = join(release, `${name}-${noarch ? 'noarch' : 'linux-x64'}.tar`)
      for (const end of compressions) await PACK[end](`${archive}.${end}`, pack)
      await rm(program, { recursive: true })
      layInstaller(release, { version, signer: signer.publicKey, downloadUrl })
      await sign(release, signer)
      return release
    },
    async [Symbol.asyncDispose]() {
      signer[Symbol.dispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Lays the program under test into `folder`, which must not be there, as one of `version`. */
export async function layProgram(folder: string, version: string): Promise<void> {
  const built = join(inject('productLayer'), 'usr/local/lib/pomerium-host-agent', VERSION)
  await execa('cp', ['-a', '--reflink=auto', built, folder])
  const manifest = join(folder, 'package.json')
  const text = await readFile(manifest, 'utf8')
  await rm(manifest)
  await writeFile(manifest, text.replace(`"version": "${VERSION}"`, `"version": "${version}"`))
}

/** Writes SHA256SUMS of what lies in a folder, and its signature. */
export async function sign(release: string, signer: Signer): Promise<void> {
  const lines: string[] = []
  for (const name of (await readdir(release)).toSorted()) {
    if (name.startsWith('SHA256SUMS')) continue
    const hash = createHash('sha256').update(await readFile(join(release, name)))
    lines.push(`${hash.digest('hex')}  ${name}\n`)
  }
  await writeFile(join(release, 'SHA256SUMS'), lines.join(''))
  await signer.sign(join(release, 'SHA256SUMS'))
}

/** A copy of a release, to be spoilt. */
export async function copyRelease(from: string, to: string): Promise<string> {
  await rm(to, { recursive: true, force: true })
  await cp(from, to, { recursive: true })
  return to
}

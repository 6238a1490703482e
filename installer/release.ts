// `npm run release`: everything that an operator puts on a web server, in dist/release/.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { type Compression, packFolder } from './archive.ts'
import { buildProgram, VERSION } from './build.ts'
import { layNode } from './node-binary.ts'
import { renderRelease } from './release-screen.ts'
import { openSigner } from './signature.ts'

const source = fileURLToPath(new URL('..', import.meta.url))

/** What an archive is for: a platform with its Node inside, or any host that has Node. */
export type Target = 'linux-x64' | 'linux-arm64' | 'noarch'

/** What `buildRelease` makes and where; by default everything. */
export interface ReleaseOptions {
  /** The folder to fill; it is emptied first. */
  readonly folder: string
  /** The file with the private key, else a throwaway one is made. */
  readonly signingKey?: string | undefined
  /** Where the release will lie; else whoever installs says it. */
  readonly downloadUrl?: string | undefined
  readonly targets?: readonly Target[]
  readonly compressions?: readonly Compression[]
}

/** A release that was made. */
export interface Release {
  readonly version: string
  readonly commit: string
  /** Uncommitted changes went into it, so nobody can make it again. */
  readonly dirty: boolean
  readonly folder: string
  readonly signer: { readonly fingerprint: string; readonly throwaway: boolean }
}

/** Builds a release of the checkout. Same commit, same bytes, as long as the signer is the same. */
export async function buildRelease(options: ReleaseOptions): Promise<Release> {
  const { folder, targets = ['linux-x64', 'linux-arm64', 'noarch'] } = options
  using signer = await openSigner(options.signingKey)
  const work = `${folder}.partial`
  for (const each of [folder, work]) rmSync(each, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const time = Number(await git('log', '-1', '--format=%ct'))
  const jobs = targets.map(async target => {
    const program = join(work, target, `pomerium-host-agent-${VERSION}`)
    await layTarget(target, program)
    for (const compression of options.compressions ?? ['gz', 'xz']) {
      const archive = `pomerium-host-agent-${VERSION}-${target}.tar.${compression}`
      await packFolder(program, join(folder, archive), compression, time)
    }
  })
  await Promise.all(jobs)
  layInstaller(folder, signer.publicKey, options.downloadUrl ?? '')
  writeFileSync(join(folder, 'SHA256SUMS'), sumsOf(folder))
  await signer.sign(join(folder, 'SHA256SUMS'))
  rmSync(work, { recursive: true })
  const { fingerprint, throwaway } = signer
  return {
    version: VERSION,
    commit: await git('rev-parse', '--short', 'HEAD'),
    dirty: (await git('status', '--porcelain')) !== '',
    folder,
    signer: { fingerprint, throwaway },
  }
}

async function layTarget(target: Target, program: string): Promise<void> {
  if (target === 'noarch') return buildProgram(program, null)
  const nodeFolder = `${program}.node`
  await layNode(target === 'linux-x64' ? 'x64' : 'arm64', nodeFolder)
  await buildProgram(program, join(nodeFolder, 'node'))
}

function layInstaller(folder: string, signer: string, downloadUrl: string): void {
  const template = join(source, 'installer', 'install.sh')
  if (!existsSync(template)) return
  const filled = readFileSync(template, 'utf8')
    .replaceAll('@RELEASE_SIGNER@', signer)
    .replaceAll('@VERSION@', VERSION)
    .replaceAll('@DOWNLOAD_URL@', downloadUrl)
  writeFileSync(join(folder, 'install.sh'), filled, { mode: 0o755 })
}

// As sha256sum writes and checks it.
function sumsOf(folder: string): string {
  const lines = readdirSync(folder)
    .toSorted()
    .map(name => {
      const digest = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex')
      return `${digest}  ${name}\n`
    })
  return lines.join('')
}

async function git(...args: string[]): Promise<string> {
  return (await execa('git', ['-C', source, ...args])).stdout.trim()
}

if (import.meta.main) {
  const folder = join(source, 'dist', 'release')
  const { RELEASE_SIGNING_KEY: signingKey, RELEASE_DOWNLOAD_URL: downloadUrl } = process.env
  const release = await buildRelease({ folder, signingKey, downloadUrl })
  process.stdout.write(renderRelease(release))
}

// `npm run release`: everything that an operator puts on a web server, in dist/release/.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Init } from '../agent/provisioner/init/init.ts'
import { INITS } from '../agent/provisioner/init/inits.ts'
import { type Compression, packFolder } from './archive.ts'
import { buildProgram, SBOM, VERSION } from './build.ts'
import accepted from './licences.json' with { type: 'json' }
import { findChangedLicences, licencesOf } from './licences.ts'
import { type Architecture, layNode } from './node-binary.ts'
import { packDeb } from './package/deb.ts'
import { packRpm } from './package/rpm.ts'
import { renderRefusal, renderRelease } from './release-screen.ts'
import { readSbom } from './sbom.ts'
import { findSecrets, machineWords } from './secrets.ts'
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
  /** How much the .deb is compressed, as `packDeb` has it. */
  readonly debLevel?: number
}

/** A release that was made. */
export interface Release {
  readonly kind: 'made'
  readonly version: string
  readonly commit: string
  /** Uncommitted changes went into it, so nobody can make it again. */
  readonly dirty: boolean
  readonly folder: string
  /** Where it will lie, as install.sh has it built in. */
  readonly downloadUrl: string | undefined
  readonly signer: { readonly fingerprint: string; readonly throwaway: boolean }
}

/** Nothing was made: what would go out may not, one line for each reason. */
export interface ReleaseRefused {
  readonly kind: 'refused'
  readonly problems: readonly string[]
}

/** Builds a release of the checkout. Same commit, same bytes, as long as the signer is the same. */
export async function buildRelease(options: ReleaseOptions): Promise<Release | ReleaseRefused> {
  const { folder, targets = ['linux-x64', 'linux-arm64', 'noarch'] } = options
  const place = readDownloadUrl(options.downloadUrl)
  if (place.kind === 'refused') return place
  const { downloadUrl } = place
  using signer = await openSigner(options.signingKey)
  const work = `${folder}.partial`
  for (const each of [folder, work]) rmSync(each, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const time = Number(await git('log', '-1', '--format=%ct'))
  const programs = new Map(
    targets.map(target => [target, join(work, target, `pomerium-host-agent-${VERSION}`)]),
  )
  await Promise.all([...programs].map(([target, program]) => layTarget(target, program)))
  const problems = await Promise.all([...programs.values()].map(findProblems))
  if (problems.some(each => each.length > 0)) {
    for (const each of [folder, work]) rmSync(each, { recursive: true })
    return { kind: 'refused', problems: [...new Set(problems.flat())] }
  }
  const packed = [...programs].map(async ([target, program]) => {
    for (const compression of options.compressions ?? ['gz', 'xz']) {
      const archive = `pomerium-host-agent-${VERSION}-${target}.tar.${compression}`
      await packFolder(program, join(folder, archive), compression, time)
    }
    if (target === 'noarch') return
    const packable = { program, version: VERSION, architecture: architectureOf(target), time }
    await packDeb(packable, folder, options.debLevel)
    await packRpm(packable, folder)
  })
  await Promise.all(packed)
  layInstaller(folder, { version: VERSION, signer: signer.publicKey, downloadUrl })
  writeFileSync(join(folder, 'SHA256SUMS'), sumsOf(folder))
  await signer.sign(join(folder, 'SHA256SUMS'))
  rmSync(work, { recursive: true })
  const { fingerprint, throwaway } = signer
  return {
    kind: 'made',
    version: VERSION,
    commit: await git('rev-parse', '--short', 'HEAD'),
    dirty: (await git('status', '--porcelain')) !== '',
    folder,
    downloadUrl,
    signer: { fingerprint, throwaway },
  }
}

async function layTarget(target: Target, program: string): Promise<void> {
  if (target === 'noarch') return buildProgram(program, null)
  await buildProgram(program, await layNode(architectureOf(target), `${program}.node`))
}

const architectureOf = (target: Exclude<Target, 'noarch'>): Architecture =>
  target === 'linux-x64' ? 'x64' : 'arm64'

/** Why the program in `folder` may not be published, one line for each reason. */
async function findProblems(folder: string): Promise<string[]> {
  const shipped = licencesOf(readSbom(join(folder, SBOM)))
  const words = machineWords(process.env, { 'the path of this checkout': source })
  return [...findChangedLicences(shipped, accepted), ...(await findSecrets(folder, words))]
}

/** What install.sh is told of the release that it lies in. */
export interface Filling {
  readonly version: string
  /** The public key of whoever signs. */
  readonly signer: string
  /** Where the release will lie; undefined: whoever installs has to say it. */
  readonly downloadUrl: string | undefined
}

// Where there are both, the file says enough before anything is installed.
const renderInit = ({ title, running }: Init) => `${title}:${running.file ?? running.process1}`

/** Lays install.sh into a release's folder. */
export function layInstaller(folder: string, { version, signer, downloadUrl }: Filling): void {
  const template = join(source, 'installer', 'install.sh')
  const filled = readFileSync(template, 'utf8')
    .replaceAll('@RELEASE_SIGNER@', signer)
    .replaceAll('@VERSION@', version)
    .replaceAll('@DOWNLOAD_URL@', downloadUrl ?? '')
    .replaceAll('@INITS@', INITS.map(renderInit).join(' '))
  writeFileSync(join(folder, 'install.sh'), filled, { mode: 0o755 })
}

/**
 * The folder's URL, without the slash at its end; undefined where none is given. One that the shell would
 * read otherwise, or that is none, is refused.
 */
export function readDownloadUrl(
  text: string | undefined,
): { kind: 'read'; downloadUrl: string | undefined } | ReleaseRefused {
  if (text === undefined) return { kind: 'read', downloadUrl: undefined }
  const isUrl =
    /^https?:$/.test(URL.parse(text)?.protocol ?? '') && /^[\w:/.~%+,=@[\]-]+$/.test(text)
  if (isUrl) return { kind: 'read', downloadUrl: text.replace(/\/+$/, '') }
  const why = `RELEASE_DOWNLOAD_URL is no URL of a folder, as https://downloads.example.com: "${text}"`
  return { kind: 'refused', problems: [why] }
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
  const made = release.kind === 'made'
  const stream = made ? process.stdout : process.stderr
  stream.write(made ? renderRelease(release) : renderRefusal(release))
  process.exitCode = made ? 0 : 1
}

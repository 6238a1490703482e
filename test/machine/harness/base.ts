// The trees that hosts are booted from: made once by debootstrap, kept outside the repo.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

export const suites = ['bullseye', 'bookworm', 'trixie'] as const
export type Suite = (typeof suites)[number]

/** Where trees are kept: `POMERIUM_TEST_CACHE`, else `/var/cache/pomerium-host-agent-test`. */
export function cacheDir(): string {
  return process.env.POMERIUM_TEST_CACHE ?? '/var/cache/pomerium-host-agent-test'
}

/**
 * The tree of a plain host with sshd, systemd and the user `alice`. The first call takes about a
 * minute and the network; it is safe to call from several processes at once. Never write into it.
 */
export function ensureBase(suite: Suite): Promise<string> {
  return ensureTree('make-base.sh', suite, [suite])
}

/** A layer to lay above the base of `suite`, in which `packages` are installed by apt. */
export async function ensurePackages(suite: Suite, packages: readonly string[]): Promise<string> {
  const base = await ensureBase(suite)
  const sorted = packages.toSorted()
  return ensureTree('make-packages.sh', `${suite}-${sorted.join('-')}`, [base], sorted)
}

/** Folders for a host without OpenSSH: `layer` lies above the base, `repository` is where its apt looks. */
export async function ensureWithoutOpenssh(
  suite: Suite,
): Promise<{ layer: string; repository: string }> {
  const base = await ensureBase(suite)
  const made = await ensureTree('make-without-openssh.sh', `${suite}-without-openssh`, [base])
  return { layer: join(made, 'layer'), repository: join(made, 'repository') }
}

/** The libraries of an arm64 host, for `qemu-aarch64-static -L`. */
export function ensureArm64(): Promise<string> {
  return ensureTree('make-arm64.sh', 'arm64', [])
}

async function ensureTree(
  script: string,
  label: string,
  before: readonly string[],
  after: readonly string[] = [],
): Promise<string> {
  const recipe = join(import.meta.dirname, script)
  const hash = createHash('sha256').update(await readFile(recipe))
  hash.update(JSON.stringify([before, after]))
  const target = join(cacheDir(), `${label}-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(target)) return target
  await mkdir(cacheDir(), { recursive: true })
  const maker = ['unshare', '--mount', 'sh', recipe, ...before, target, ...after]
  // flock(1), because the kernel lets go of it whichever way the maker dies.
  await execa('flock', [`${target}.lock`, ...maker], { all: true, stdin: 'ignore' })
  return target
}

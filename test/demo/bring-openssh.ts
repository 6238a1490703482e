// OpenSSH for a machine that has none, or lacks a part: from the distribution's packages, unpacked into the
// user's cache and run from there. Nothing is installed; what was brought is kept for the next time.

import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { parseEnv } from 'node:util'
import { missingTools, type Tool } from '../sshd/tools.ts'
import { fetchPackages, missingAptTool } from './apt.ts'
import { binOf, unpackOpenssh, works } from './openssh-tree.ts'

const PACKAGES: Record<Tool, string> = {
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
}

export type Brought = { ok: true } | { ok: false; why: string }

/** Sees to it that sshd, ssh and ssh-keygen are found on this process' PATH; `say` is told of a download. */
export async function bringOpenssh(say: (line: string) => void): Promise<Brought> {
  const missing = missingTools()
  if (missing.length === 0 || process.platform !== 'linux') return { ok: true }
  const packages = [...new Set(missing.map(tool => PACKAGES[tool]))]
  const folder = join(cacheFolder(), await machineName(), packages.join('+'))
  if (!(await works(folder, missing))) {
    const fetched = await fetchInto(folder, packages, missing, say)
    if (!fetched.ok) return fetched
  }
  process.env.PATH = `${binOf(folder)}:${process.env.PATH}`
  return { ok: true }
}

async function fetchInto(
  folder: string,
  packages: readonly string[],
  missing: readonly Tool[],
  say: (line: string) => void,
): Promise<Brought> {
  const lack = `no ${missing.join(', ')} here`
  const without = await missingAptTool()
  if (without !== undefined) {
    const hint = 'install it first; as root, e.g.: dnf install openssh-server openssh-clients'
    return { ok: false, why: `${lack}, and no ${without} to fetch it\n${hint}` }
  }
  const hint = 'try again with a network, or as root: apt-get install openssh-server'
  await mkdir(dirname(folder), { recursive: true })
  const partial = await mkdtemp(`${folder}.partial-`)
  try {
    say(`There is ${lack}. apt fetches it, and installs nothing:`)
    const fetched = await fetchPackages(packages, partial, what => say(`  ${what}`))
    if (!fetched.ok) return { ok: false, why: `${lack}, and apt:\n${fetched.why}\n${hint}` }
    const unpacked = join(partial, 'openssh')
    await unpackOpenssh(fetched.debs, unpacked)
    if (!(await works(unpacked, missing))) {
      return { ok: false, why: `${lack}, and what apt fetched does not start\n${hint}` }
    }
    await rm(folder, { recursive: true, force: true })
    await rename(unpacked, folder)
    say(`Kept for the next time in ${cacheFolder()}.`)
    return { ok: true }
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/** As the XDG Base Directory Specification has it: what is no absolute path counts as unset. */
function cacheFolder(): string {
  const given = process.env.XDG_CACHE_HOME ?? ''
  return join(isAbsolute(given) ? given : join(homedir(), '.cache'), 'pomerium-host-agent')
}

// Libraries of one release are no good on another, and a home may be shared or be upgraded.
async function machineName(): Promise<string> {
  const release = parseEnv(await readFile('/etc/os-release', 'utf8').catch(() => ''))
  return [release.ID, release.VERSION_ID, process.arch].filter(Boolean).join('-')
}

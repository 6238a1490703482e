// Packages fetched by apt as any user, with the machine's sources, keys and pins, and without a trace: apt
// keeps its lists and archives in a folder of ours (apt.conf(5)).

import { globSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Deb, described, parseUris } from './apt-uris.ts'

export type Fetched = { ok: true; debs: string[] } | { ok: false; why: string }

/** Which of the tools that are needed here the machine lacks. */
export async function missingAptTool(): Promise<string | undefined> {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    const { exitCode } = await execa(tool, ['--version'], { reject: false, stdout: 'ignore' })
    if (exitCode === undefined) return tool
  }
  return undefined
}

/**
 * Fetches `packages`, and of what they depend on that which this machine lacks, into `folder`. Before each
 * download `announce` is told what it is, and how big where that is known.
 */
export async function fetchPackages(
  packages: readonly string[],
  folder: string,
  announce: (what: string) => void,
): Promise<Fetched> {
  // The machine's own lists spare some megabytes, where there are any and they are not out of date.
  const before = await aptIn(join(folder, 'before'), '/var/lib/apt/lists')
  const known = await before.resolve(packages)
  if (known.ok) {
    announce(described(packages, known.debs))
    const fetched = await before.download(known.debs)
    if (fetched.ok) return fetched
  }
  announce('package lists, since those here are missing or old')
  const lists = join(folder, 'lists')
  await mkdir(join(lists, 'partial'), { recursive: true })
  const apt = await aptIn(join(folder, 'after'), lists)
  const update = await apt.run(['update'])
  const plan = await apt.resolve(packages)
  // apt calls it a success where nothing could be reached, and then finds no such package.
  if (!plan.ok) return { ok: false, why: update.errors || plan.why }
  const weight = /^Fetched (\S+ \S+) in /m.exec(update.stdout)?.[1] ?? 'nothing new'
  announce(`${described(packages, plan.debs)}, after lists of ${weight}`)
  return apt.download(plan.debs)
}

async function aptIn(folder: string, lists: string) {
  const archives = join(folder, 'archives')
  await mkdir(join(archives, 'partial'), { recursive: true })
  const config = join(folder, 'apt.conf')
  await writeFile(config, aptConfig(folder, lists))
  const run = async (args: readonly string[]) => {
    const { stdout, stderr, exitCode } = await execa('apt-get', ['-q', '-c', config, ...args], {
      cwd: archives,
      env: { LC_ALL: 'C' },
      reject: false,
      stdin: 'ignore',
    })
    const errors = stderr.split('\n').filter(line => /^[EW]: /.test(line))
    return { ok: exitCode === 0, stdout, errors: errors.join('\n') }
  }
  return {
    run,
    async resolve(packages: readonly string[]) {
      const { ok, stdout, errors } = await run(['install', '--print-uris', '--yes', ...packages])
      const debs = parseUris(stdout)
      return ok && debs.length > 0 ? { ok, debs } : { ok: false as const, why: errors }
    },
    async download(debs: readonly Deb[]): Promise<Fetched> {
      const exactly = debs.map(({ name, version }) => `${name}=${version}`)
      const { ok, errors } = await run(['download', ...exactly])
      if (!ok) return { ok, why: errors }
      return { ok, debs: globSync('*.deb', { cwd: archives }).map(deb => join(archives, deb)) }
    },
  }
}

// Read after the machine's own. Its hooks are cleared: they write where they like.
function aptConfig(folder: string, lists: string): string {
  return `Dir::State::lists "${lists}/";
Dir::State::extended_states "${folder}/extended_states";
Dir::Cache "${folder}/";
Dir::Cache::archives "archives/";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "${folder}/";
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Retries "1";
Acquire::Languages "none";
Debug::NoLocking "true";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`
}

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Architecture } from '../node-binary.ts'

/** A program's folder that is to become a package. */
export interface Packable {
  /** The folder, as `buildProgram` made it, with Node inside. */
  readonly program: string
  readonly version: string
  readonly architecture: Architecture
  /** The time of every file in it, in seconds since 1970. */
  readonly time: number
}

export const SUMMARY = 'keeps sshd trusting the User CA keys that Pomerium signs with'

export const DESCRIPTION = [
  'Fetches the public keys of your Pomerium User CA from where you publish',
  'them, proves them, and puts them in force in sshd; follows every rotation',
  'within seconds, and never leaves an sshd behind that does not start.',
]

const source = fileURLToPath(new URL('../..', import.meta.url))

/** Where install.sh has the program called, and where a package does. */
const BY_SCRIPT = '/usr/local/bin/pomerium-host-agent'
const BY_PACKAGE = '/usr/bin/pomerium-host-agent'

/** Lays `program` into `tree` as it lies on a host that has the package. */
export async function layTree({ program, time }: Packable, tree: string): Promise<void> {
  const home = join(tree, 'usr/libexec/pomerium-host-agent')
  const doc = join(tree, 'usr/share/doc/pomerium-host-agent')
  for (const folder of [dirname(home), doc, join(tree, 'usr/bin')]) {
    mkdirSync(folder, { recursive: true })
  }
  cpSync(program, home, { recursive: true })
  for (const services of ['systemd', 'init']) callByPackage(join(home, services))
  symlinkSync('../libexec/pomerium-host-agent/pomerium-host-agent', join(tree, BY_PACKAGE))
  writeFileSync(join(doc, 'copyright'), COPYRIGHT + readFileSync(join(source, 'LICENSE'), 'utf8'))
  await execa('chmod', ['-R', 'u=rwX,go=rX', tree])
  await execa('find', [tree, '-exec', 'touch', '-h', '-d', `@${time}`, '{}', '+'])
}

const COPYRIGHT = `What it brings along has its own terms, each under its name in
/usr/libexec/pomerium-host-agent/licenses. Its own are these:

`

function callByPackage(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, 'utf8')
    if (text.includes(BY_SCRIPT)) writeFileSync(path, text.replaceAll(BY_SCRIPT, BY_PACKAGE))
  }
}

/** A script of a package: what it has in common with the others, and what it does of it. */
export function hostScript(does: string): string {
  return `${readFileSync(join(import.meta.dirname, 'host.sh'), 'utf8')}\n${does}\n`
}

/** `1.2.0-rc.1` comes before `1.2.0` for dpkg and rpm when it is written so. */
export const packageVersion = (version: string) => version.replace('-', '~')

/** What a build tool sees of this process: nothing that the one who builds has set. */
export const plain = (time: number, home: string) => ({
  extendEnv: false,
  env: {
    PATH: process.env.PATH,
    LC_ALL: 'C',
    TZ: 'UTC',
    HOME: home,
    SOURCE_DATE_EPOCH: String(time),
  },
})

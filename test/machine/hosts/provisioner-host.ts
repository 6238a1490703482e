// A booted host on which tests run the provisioner itself, beside the program as it is installed.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { inject } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { VERSION } from '../../../installer/build.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import type { ExecResult, Running } from '../harness/exec.ts'
import { bootHost, type Host, type HostOptions } from '../harness/host.ts'
import type { Job, JobReport } from '../programs/provision-program.ts'
import { CA_FILE } from './agent-host.ts'

const CONFIG = '/etc/pomerium/host-agent.yaml'
const PROGRAM = '/opt/provision-program.mjs'
export const NODE = `/usr/local/lib/pomerium-host-agent/${VERSION}/node`
const ASK_BANNER = join(import.meta.dirname, '../programs/ask-banner.ts')
const BANNER =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"

export interface ProvisionerHost extends AsyncDisposable {
  host: Host
  /** Writes the config; the source is a file on the host. */
  configure(more?: string): Promise<void>
  /** Runs the job to its end; throws where it has none. */
  run(job: Job, timeoutMs?: number): Promise<JobReport>
  /** Starts the job and leaves it running. */
  start(job: Job): Running
  /** Runs the job, which kills itself. */
  kill(job: Job & { killAt: number }): Promise<void>
  /** The installed program. */
  agent(...args: string[]): Promise<ExecResult>
  /** `apply --json` of the installed program, with these lines at the source. */
  apply(...lines: string[]): Promise<{ code: number; outcome: Outcome }>
  /** The CA file's text; `undefined` where there is none. */
  caFile(): Promise<string | undefined>
  /** Names of what a run may leave that was cut off. */
  litter(): Promise<string[]>
  /** How many ms it takes until sshd answers; throws where it does not within five seconds. */
  answers(): Promise<number>
}

export async function bootProvisionerHost(options: HostOptions): Promise<ProvisionerHost> {
  const program = await bundleProgram('provision-program.ts')
  const host = await bootHost({
    ...options,
    layers: [...(options.layers ?? []), inject('productLayer')],
    prepare: async files => {
      await files.write(PROGRAM, program)
      await options.prepare?.(files)
    },
  })
  let asked = 0
  const argv = (job: Job) => [NODE, PROGRAM, JSON.stringify(job)]
  const agent = (...args: string[]) =>
    host.exec(['pomerium-host-agent', ...args], { allowFail: true })
  const it: ProvisionerHost = {
    host,
    configure: (more = '') => host.write(CONFIG, `source:\n  url: file:///srv/bundle\n${more}`),
    start: job => host.spawn(argv(job)),
    async run(job, timeoutMs = 60_000) {
      return JSON.parse((await host.exec(argv(job), { timeoutMs })).stdout)
    },
    async kill(job) {
      const { code, stdout, stderr } = await host.exec(
        ['sh', '-c', '"$@"; exit $?', 'sh', ...argv(job)],
        { allowFail: true },
      )
      if (code !== 137) throw new Error(`not killed, but ended with ${code}: ${stdout}${stderr}`)
    },
    agent,
    async apply(...lines) {
      await host.write('/srv/bundle', lines.map(line => `${line}\n`).join(''))
      const { code, stdout, stderr } = await agent('apply', '--json')
      if (stdout === '') throw new Error(`apply printed no outcome: ${stderr}`)
      return { code, outcome: JSON.parse(stdout) }
    },
    caFile: async () => (host.exists(CA_FILE) ? host.read(CA_FILE) : undefined),
    async litter() {
      const folders = ['/etc/ssh', '/var/lib/pomerium*', '/run/pomerium-host-agent']
      const names = "-name '.*.pomerium-host-agent' -o -name journal.json"
      const find = `find ${folders.join(' ')} ${names}; true`
      const { stdout } = await host.exec(find)
      return stdout.split('\n').filter(Boolean)
    },
    async answers() {
      asked += 1
      const { code, stdout, stderr } = await host.inNetwork([
        process.execPath,
        ASK_BANNER,
        String(asked),
      ]).done
      if (code !== 0) throw new Error(stderr)
      return Number(stdout)
    },
    [Symbol.asyncDispose]: () => host.stop(),
  }
  await it.configure()
  return it
}

/** One of `programs/` in a file that the product's Node runs. */
export async function bundleProgram(name: string): Promise<Buffer> {
  await using folder = await tempDir()
  const outfile = join(folder.path, 'program.mjs')
  await build({
    entryPoints: [join(import.meta.dirname, '../programs', name)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
    banner: { js: BANNER },
  })
  return readFile(outfile)
}

// What the agent says of a configuration, and does with it, against the sshd that reads it.

import { join } from 'node:path'
import { build } from 'esbuild'
import { expect, inject, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { campaign } from '../../campaign.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { bootHost } from '../harness/host.ts'

const PROGRAM = '/opt/sshd-configs-program.mjs'
const NODE = `/usr/local/lib/pomerium-host-agent/${VERSION}/node`

describeTier('random configurations and the real sshd', machineTier(), () => {
  test.concurrent.each(suites)(
    'on %s the agent reads what sshd reads, and gives back every byte',
    { timeout: 1_800_000 },
    async suite => {
      const { numRuns, seed } = campaign(`sshd-configs ${suite}`, { slice: 100, whole: 3_400 })
      await using ours = await makeCa('ed25519', 'ours')
      await using foreign = await makeCa('ed25519', 'foreign')
      await using host = await bootHost({
        suite,
        layers: [inject('productLayer')],
        prepare: async files => files.write(PROGRAM, await bundleProgram()),
      })
      await host.exec(MAKE_TREE)
      const keys = [ours.publicKey, foreign.publicKey]
      const { stdout } = await host.exec([NODE, PROGRAM, `${numRuns}`, `${seed}`, ...keys], {
        timeoutMs: 1_700_000,
      })
      const report = JSON.parse(stdout)
      const counts = Object.entries(report.tally).map(([how, count]) => `${count} ${how}`)
      process.stdout.write(`${suite}: ${counts.join(', ')}\n`)
      expect(report.failure, JSON.stringify(report, null, 2)).toBeUndefined()
    },
  )
})

// A root of its own, as an image's: what an absolute link names there is not here.
const MAKE_TREE = `mkdir -p /srv/tree /run/tree/upper /run/tree/work
mount -t overlay overlay -o lowerdir=/,upperdir=/run/tree/upper,workdir=/run/tree/work /srv/tree`

async function bundleProgram(): Promise<Buffer> {
  await using folder = await tempDir()
  const outfile = join(folder.path, 'program.mjs')
  const banner =
    "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../programs/sshd-configs-program.ts')],
    outfile,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
    banner: { js: banner },
  })
  return Buffer.from(outputFiles[0]?.contents ?? [])
}

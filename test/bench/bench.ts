// npm run bench: everything in one run on one booted host, kept in docs/benchmarks/.

import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { machineTier } from '../machine/harness/available.ts'
import { buildProduct } from '../machine/harness/product.ts'
import { makeCa } from '../sshd/ssh-ca.ts'
import { bootBenchHost } from './bench-host.ts'
import { measureAsleep, measureGoogle, measureResident } from './idle.ts'
import { drawResults } from './plot.ts'
import { type Results, renderResults } from './report.ts'
import { measureRotations } from './rotations.ts'
import { measureStartUp } from './start-up.ts'

const KEPT_IN = join(import.meta.dirname, '../../docs/benchmarks')
const [rounds = 30] = process.argv.slice(2).map(Number)

const tier = machineTier()
if (!tier.ok) throw new Error(`the benchmarks boot a host: ${tier.why}`)
const tell = (text: string) => process.stderr.write(`${text}\n`)

async function measure(productLayer: string): Promise<Results> {
  await using it = await bootBenchHost(productLayer)
  await using first = await makeCa()
  await using second = await makeCa()
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
    encoding: 'utf8',
  }).trim()
  const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()
  const processors = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`
  const rotations = await measureRotations(it, [first, second], rounds, tell)
  tell('the start of the two processes')
  const startUp = await measureStartUp(it)
  tell('idle: asleep, resident, google-guest-agent')
  const asleep = await measureAsleep(it)
  const resident = await measureResident(it)
  const google = await measureGoogle(it)
  const { stdout } = await it.host.exec('dpkg-query -W google-guest-agent | cut -f2')
  return {
    machine: {
      commit,
      kernel,
      processors,
      at: new Date().toISOString(),
      googleVersion: stdout.trim(),
    },
    rotations,
    startUp,
    idle: { asleep, resident, google },
  }
}

const product = await buildProduct()
try {
  const results = await measure(product.layer)
  const report = renderResults(results)
  await mkdir(KEPT_IN, { recursive: true })
  await writeFile(join(KEPT_IN, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
  await writeFile(join(KEPT_IN, 'README.md'), report)
  await writeFile(join(KEPT_IN, 'rotation.svg'), drawResults(results))
  process.stdout.write(report)
} finally {
  await product.remove()
}

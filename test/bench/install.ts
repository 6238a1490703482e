// npm run bench:install: from the one line on a bare host to a login by certificate, kept in docs/benchmarks/.

import { execFileSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { VERSION } from '../../installer/build.ts'
import { buildRelease } from '../../installer/release.ts'
import { machineTier } from '../machine/harness/available.ts'
import { type Suite, suites } from '../machine/harness/base.ts'
import { login } from '../machine/harness/login.ts'
import { bootBareHost, SOURCE } from '../machine/hosts/bare-host.ts'
import { RELEASE_URL } from '../machine/hosts/release-kit.ts'
import { makeCa } from '../sshd/ssh-ca.ts'
import { tempDir } from '../sshd/temp-dir.ts'

const ROUNDS = 3
const KEPT_IN = join(import.meta.dirname, '../../docs/benchmarks/install.md')
const archive = (end: string) => `pomerium-host-agent-${VERSION}-linux-x64.tar.${end}`

const tier = machineTier()
if (!tier.ok) throw new Error(`the benchmarks boot a host: ${tier.why}`)

await using folder = await tempDir()
const release = join(folder.path, 'release')
await buildRelease({
  folder: release,
  downloadUrl: RELEASE_URL,
  targets: ['linux-x64'],
})

interface Round {
  /** From the line to a login that was accepted. */
  login: number
  /** The same archive downloaded and unpacked by curl and tar, for comparison. */
  unpack: number
  end: string
}

/** Both in milliseconds, on a host that was just booted. */
async function measure(suite: Suite): Promise<Round> {
  await using ca = await makeCa()
  await using it = await bootBareHost({ suite })
  await it.offer(release)
  await it.publish(ca.publicKey)
  const start = performance.now()
  const { code, stderr } = await it.install(SOURCE)
  const { outcome } = await login(it.host, { ca })
  const took = performance.now() - start
  if (code !== 0 || outcome !== 'accepted') throw new Error(`${suite}: ${outcome}: ${stderr}`)
  const again = performance.now()
  // Debian 11 as it is made here has no xz, and takes the other archive.
  const end = it.host.exists('/usr/bin/xz') ? 'xz' : 'gz'
  const unpacker = end === 'xz' ? 'xz' : 'gzip'
  await it.host.exec(`curl -fsS ${RELEASE_URL}/${archive(end)} | ${unpacker} -dc | tar -x -C /root`)
  return { login: took, unpack: performance.now() - again, end }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const seconds = (values: number[]) => (median(values) / 1000).toFixed(1)
const mebibytes = (name: string) => (statSync(join(release, name)).size / 2 ** 20).toFixed(1)

const rows: string[] = []
for (const suite of suites) {
  const rounds: Round[] = []
  for (let n = 0; n < ROUNDS; n++) rounds.push(await measure(suite))
  const logins = rounds.map(round => round.login)
  const unpacks = rounds.map(round => round.unpack)
  const ratio = (median(logins) / median(unpacks)).toFixed(1)
  rows.push(
    `| ${suite}, ${rounds[0]?.end} | ${seconds(logins)} s | ${seconds(unpacks)} s | ${ratio} |`,
  )
}

const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
const text = `# From the line to the login

\`curl -fsSL …/install.sh | sh -s -- --source-url …\` on a host that was just booted and has nothing of
ours, up to a login by certificate that sshd accepts: download, signature, checksum, user, units,
fetching the CA keys, proof, a restart of sshd. Beside it, what no installer can do without: the same
archive through \`curl | tar\`, in the same run. Medians of ${ROUNDS}; the web server is on loopback.

| host | line to login | curl and tar alone | ratio |
| ---- | ------------- | ------------------ | ----- |
${rows.join('\n')}

The download is ${mebibytes(archive('xz'))} MiB (\`${archive('xz')}\`), or ${mebibytes(archive('gz'))} MiB where there is no xz; install.sh, sums and signature add some 20 KiB.

Made by \`npm run bench:install\` at ${commit}, on ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}.
`
writeFileSync(KEPT_IN, text)
process.stdout.write(text)

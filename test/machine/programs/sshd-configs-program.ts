// Random configurations on a booted host, one after the other: the provisioner's own adapters plan,
// apply, apply again and remove, and the real sshd of the host is asked what came of it. The service
// alone is played: nothing is restarted. Arguments: how many, and fast-check's seed.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import fc from 'fast-check'
import { layoutOf } from '../../../agent/core/config/layout.ts'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'
import { withoutCaForSome } from '../../../agent/core/foreign/login-restrictions.ts'
import { proofsFor } from '../../../agent/core/host/trust-proofs.ts'
import {
  type EffectiveConfig,
  trustedUserCaKeys,
} from '../../../agent/core/sshd-config/effective-config.ts'
import { globalWinner, overrides } from '../../../agent/core/sshd-config/effective-line.ts'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import { noService } from '../../../agent/provisioner/host/budgeted-restarts.ts'
import type { Host } from '../../../agent/provisioner/host/host.ts'
import { snapshotConfig } from '../../../agent/provisioner/observe/snapshot-config.ts'
import { openHost } from '../../../agent/provisioner/open-host.ts'
import { openSshd, type Sshd } from '../../../agent/provisioner/openssh/openssh.ts'
import { preview } from '../../../agent/provisioner/preview.ts'
import { runCommand } from '../../../agent/provisioner/processes/run-command.ts'
import { provision, type Request } from '../../../agent/provisioner/provision.ts'
import { remove } from '../../../agent/provisioner/remove.ts'
import { makeOwnFolder } from '../../../agent/provisioner/transaction/own-folder.ts'
import {
  CONNECTION,
  FOREIGN,
  MAIN,
  type OddTree,
  OURS,
  oddTree,
  takesIn,
} from '../../core/sshd-config/odd-trees.ts'

const [, , runs = '1', seed = '0', caKey = '', foreignKey = ''] = process.argv
/** Another root on the same host, in which nothing but its own /etc/ssh is to be found. */
const TREE = '/srv/tree'
const tally = new Map<string, number>()

const latin1 = (text: string) => Buffer.from(text, 'latin1')

function lay(root: string, { files }: OddTree): void {
  for (const path of ['/etc/ssh', '/var/lib/pomerium', '/var/lib/pomerium-host-agent']) {
    if (path !== '/etc/ssh') rmSync(root + path, { recursive: true, force: true })
    else
      for (const name of readdirSync(root + path, 'latin1')) {
        if (!name.startsWith('ssh_host_'))
          rmSync(latin1(`${root}${path}/${name}`), { recursive: true })
      }
  }
  for (const [path, file] of Object.entries(files)) {
    const place = latin1(root + path)
    if (file.kind === 'folder') mkdirSync(place, { recursive: true })
    else if (file.kind === 'file') writeFileSync(place, file.content, 'latin1')
    else if (file.kind === 'link') symlinkSync(latin1(file.target), place)
    else
      execFileSync(
        'mkfifo',
        [path.replaceAll(/[^ -~]/g, '_')].map(each => root + each),
      )
  }
  writeFileSync(`${root}/etc/ssh/empty`, '')
  writeFileSync(`${root}/etc/ssh/krl`, KRL)
}

/** Every file with its bytes, and what a quiet cycle must not touch. */
function look(root: string): { files: string; touched: string; matches: boolean } {
  const hash = createHash('sha256')
  const times: string[] = []
  let matches = false
  const walk = (folder: string) => {
    for (const name of readdirSync(latin1(folder), 'latin1').sort()) {
      const path = `${folder}/${name}`
      const stat = lstatSync(latin1(path), { bigint: true })
      times.push(`${path} ${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs}`)
      hash.update(`${path}\0${stat.mode}\0${stat.uid}\0`)
      if (stat.isFile()) {
        const content = readFileSync(latin1(path))
        hash.update(content)
        matches ||= /match/i.test(content.toString('latin1'))
      }
      if (stat.isSymbolicLink()) hash.update(readlinkSync(latin1(path), 'latin1'))
      else if (stat.isDirectory()) walk(path)
    }
  }
  walk(`${root}/etc/ssh`)
  return { files: hash.digest('hex'), touched: times.join('\n'), matches }
}

/**
 * The real sshd, which is asked the same of the same files only once: where no file has a Match, all
 * connections are the same, and what `sshd -T` prints has passed `sshd -t`.
 */
function remembering(sshd: Sshd, root: string): Sshd {
  const known = new Map<string, Promise<EffectiveConfig>>()
  const refused = new Map<string, ReturnType<Sshd['test']>>()
  const effective: Sshd['effective'] = who => {
    const { files, matches } = look(root)
    const key = `${matches ? JSON.stringify(who) : ''} ${files}`
    const kept = known.get(key) ?? sshd.effective(who)
    kept.catch(() => {})
    known.set(key, kept)
    return kept
  }
  return {
    effective,
    version: () => VERSION,
    test: () =>
      effective({}).then(
        () => ({ ok: true }),
        () => {
          const { files } = look(root)
          const kept = refused.get(files) ?? sshd.test()
          refused.set(files, kept)
          return kept
        },
      ),
  }
}

async function trial(tree: OddTree): Promise<void> {
  const root = tree.where === 'running' ? '' : TREE
  lay(root, tree)
  const parsed = parseConfig(undefined, {})
  assert('config' in parsed)
  const { acceptFrom, conflict } = tree
  const sshdConfig = { ...parsed.config.sshd, conflict, ...(acceptFrom && { acceptFrom }) }
  const config = { ...parsed.config, sshd: sshdConfig }
  const prefix = root === '' ? [] : ['chroot', root]
  const argv = [...prefix, '/usr/sbin/sshd']
  const run: typeof runCommand = words =>
    runCommand(words, { timeoutMs: 5_000, encoding: 'latin1' })
  const real = remembering(
    openSshd(argv, run, { fs: realFileSystem, runFolder: `${root}/run/sshd` }),
    root,
  )
  const base: Host =
    root === ''
      ? {
          layout: layoutOf(config.sshd),
          tree: false,
          at: path => path,
          fs: realFileSystem,
          owner: { uid: 0, gid: 0 },
          isRoot: true,
          mainConfig: MAIN,
          sshd: real,
          service: noService,
        }
      : await opened
  const host: Host = { ...base, sshd: tree.where === 'blind' ? undefined : real }
  await makeOwnFolder(host, host.layout.stateFolder)
  const before = look(root)
  const [proof] = acceptFrom === undefined ? [{}] : [{ user: 'nobody', addr: '192.0.2.0' }]
  const hasPipe = Object.values(tree.files).some(({ kind }) => kind === 'pipe')
  const ask = async (who: object) => {
    if (hasPipe) return undefined
    return real.effective(who).catch(() => undefined)
  }
  const truth = await ask(proof ?? {})
  if (truth !== undefined) await compareScan(host, ask)
  const used = truth && trustedUserCaKeys(truth)

  const request: Request = {
    bundle: Buffer.from(`${caKey}\n`),
    source: 'test',
    config,
    now: new Date(),
  }
  const plan = await preview(request, host)
  assert.equal(look(root).touched, before.touched, 'plan has touched something')
  const { outcome: applied } = await provision(request, host)
  const ended = `${applied.outcome}${applied.code === undefined ? '' : ` ${applied.code}`}`
  const kind = `${tree.where === 'blind' ? 'blind ' : ''}${truth === undefined ? 'broken: ' : ''}${ended}`
  tally.set(kind, (tally.get(kind) ?? 0) + 1)
  if (applied.outcome === 'host-refused') {
    assert.equal(plan.kind, 'host-refused')
    assert.equal(look(root).touched, before.touched, 'a refusal has touched something')
    // The scanner has missed a line, or sshd has a way that it does not know.
    assert.notEqual(applied.code, 'unexplained-ca', applied.message)
    if (tree.where !== 'blind' && !hasPipe) {
      const broken = applied.code === 'sshd-config-broken'
      assert.equal(broken, truth === undefined, applied.message)
    }
    return
  }
  if (applied.outcome === 'rolled-back') {
    assert.equal(look(root).files, before.files, 'what was rolled back is not as it was')
    const asked = await Promise.all(proofsFor(acceptFrom).map(ask))
    const excused = asked.includes(undefined) || (await isNarrowed(host, acceptFrom))
    assert(excused, applied.message)
    return
  }
  assert.equal(applied.outcome, 'applied', applied.message)
  assert.equal(plan.kind, 'steps')
  if (tree.where !== 'blind' && !hasPipe) assert.notEqual(truth, undefined, 'sshd refuses it')
  if (conflict === 'refuse') {
    assert(used === undefined || used === OURS, `displaced ${used}`)
  }
  if (truth !== undefined) {
    const after = await ask(proof ?? {})
    assert.equal(after && trustedUserCaKeys(after), OURS, 'sshd does not name ours')
  }
  const settled = look(root)
  const { outcome: again } = await provision(request, host)
  assert.equal(again.outcome, 'unchanged', again.message)
  assert.equal(look(root).touched, settled.touched, 'the second apply has touched something')
  const { outcome: removed } = await remove(host)
  assert.equal(removed.outcome, 'applied', removed.message)
  assert.equal(look(root).files, before.files, 'remove has not given back every byte')
}

/**
 * What is seen only when it is tried: some connections sshd dies of, with us or without; and by
 * `accept_from` a connection is asked about that a Match of the administrator's may let in by no CA.
 */
async function isNarrowed(host: Host, acceptFrom: readonly string[] | undefined) {
  const { config } = await snapshotConfig(host, [])
  return (
    acceptFrom !== undefined &&
    withoutCaForSome({ config, found: new Map() }, host.layout).length > 0
  )
}

/** What the scanner says wins, for nobody and for somebody, is what sshd uses. */
async function compareScan(
  host: Host,
  ask: (who: object) => Promise<EffectiveConfig | undefined>,
): Promise<void> {
  const asking = { ...host, sshd: undefined }
  const { directives } = await snapshotConfig(
    { ...asking, sshd: { version: () => VERSION } as Sshd },
    [],
  )
  for (const who of [{}, CONNECTION]) {
    const effective = await ask(who)
    if (effective === undefined) continue
    for (const keyword of ['trustedusercakeys', 'revokedkeys', 'authorizedprincipalsfile']) {
      const winner =
        overrides(directives, keyword).find(({ matches }) =>
          matches.every(({ criteria }) => takesIn(criteria, who !== CONNECTION)),
        ) ?? globalWinner(directives, keyword)
      const value = winner?.args[0] ?? 'none'
      const absolute =
        value === 'none' || value.startsWith('/') || keyword === 'authorizedprincipalsfile'
          ? value
          : value.replace(/^(?!~)/, '//').replace(/^~/, '/root')
      assert.equal(effective.get(keyword)?.[0], absolute, `the scanner misreads ${keyword}`)
    }
  }
}

// As `--root` opens it; asked for its version once, not for each tree.
const defaults = parseConfig(undefined, {})
if ('errors' in defaults) throw new Error('the defaults are wrong')
const opened = openHost(defaults.config.sshd, TREE, () => [], { isRoot: true })

execFileSync(
  'sh',
  [
    '-c',
    `rm -f /tmp/k; ssh-keygen -q -t ed25519 -N '' -f /tmp/k && ssh-keygen -k -f /tmp/krl /tmp/k.pub`,
  ],
  { stdio: 'ignore' },
)
const KRL = readFileSync('/tmp/krl')
const said = spawnSync('/usr/sbin/sshd', ['-V'], { encoding: 'utf8' })
const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(said.stdout + said.stderr) ?? []
const VERSION = Promise.resolve({ major: Number(major), minor: Number(minor) })
for (const root of ['', TREE]) {
  mkdirSync(`${root}/etc/another-owner`, { recursive: true })
  // sshd checks an RSA key for as long as all else takes it, each time.
  for (const type of ['rsa', 'ecdsa'])
    rmSync(`${root}/etc/ssh/ssh_host_${type}_key`, { force: true })
  mkdirSync(`${root}/run/sshd`, { recursive: true })
  writeFileSync(root + FOREIGN, `${foreignKey}\n`)
}
const details = await fc.check(fc.asyncProperty(oddTree, trial), {
  numRuns: Number(runs),
  seed: Number(seed),
  endOnFailure: false,
  interruptAfterTimeLimit: 1_500_000,
})
const report = {
  tally: Object.fromEntries([...tally].sort()),
  ...(details.failed && {
    failure: `${details.errorInstance instanceof Error ? details.errorInstance.stack : details.errorInstance}`,
    tree: details.counterexample?.[0],
    path: details.counterexamplePath,
  }),
}
process.stdout.write(JSON.stringify(report))

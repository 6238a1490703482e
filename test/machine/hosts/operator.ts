// The operator of a rotation on the outside machine: a served bundle, `bundle rotate`, a Pomerium that
// signs with one CA at a time, and a watcher who looks into every host all the while.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeTestTls, type TestTls } from '../../control-plane/test-tls.ts'
import type { Ca } from '../../sshd/ssh-ca.ts'
import type { ExecResult, Running } from '../harness/exec.ts'
import type { Network } from '../harness/network.ts'
import { waitFor } from '../harness/wait-for.ts'
import type { FleetHost } from './fleet-host.ts'

const MAIN = join(import.meta.dirname, '../../../agent/main.ts')
export const PROGRAM = [process.execPath, MAIN, 'bundle']

export interface Server {
  url: string
  tls: TestTls
  /** What it logged so far. */
  log(): string
}

/** Starts `bundle serve` in the network, over TLS. */
export async function startServer(
  network: Network,
  folder: string,
  bundle: string,
): Promise<Server> {
  const tls = await makeTestTls({ hosts: [network.address] })
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, tls.cert)
  writeFileSync(files.key, tls.key)
  const listen = `${network.address}:8443`
  const flags = ['--listen', listen, '--tls-cert', files.cert, '--tls-key', files.key]
  const child = network.run([...PROGRAM, 'serve', bundle, ...flags])
  let log = ''
  const hear = (text: string) => {
    log += text
  }
  child.stderr.on('data', hear)
  await waitFor('bundle serve', () => log.includes('"listening"'))
  return { url: `https://${listen}/bundle`, tls, log: () => log }
}

export interface Rotation {
  stateFile: string
  /** Calls `bundle rotate` to its end, or kills it where `killWhen` says so of the state file. */
  rotate(args?: readonly string[], killWhen?: (state: string) => boolean): Promise<ExecResult>
}

export function rotationIn(
  network: Network,
  folder: string,
  settings: readonly string[],
): Rotation {
  const stateFile = join(folder, 'rotation.yaml')
  const state = () => {
    try {
      return readFileSync(stateFile, 'utf8')
    } catch {
      return ''
    }
  }
  return {
    stateFile,
    async rotate(args = [], killWhen = () => false) {
      const call = [...PROGRAM, 'rotate', '--state', stateFile, '--json', ...settings, ...args]
      const child = network.run(call)
      const watching = killAt(child, () => killWhen(state()))
      const ended = await child.done
      await watching
      return ended
    },
  }
}

async function killAt(child: Running, isTime: () => boolean): Promise<void> {
  let ended = false
  child.done.finally(() => {
    ended = true
  })
  while (!ended) {
    if (isTime()) child.kill()
    await sleep(2)
  }
}

export interface Watcher extends AsyncDisposable {
  /** The CAs that Pomerium may be signing with from now on. */
  signing(...cas: readonly Ca[]): void
  /** From now on this host is out of reach. */
  forget(host: FleetHost): void
  /** Looks so far, and hosts that were found without a CA that Pomerium may be signing with. */
  looks(): number
  troubles: string[]
}

/** Reads every host's CA file, over and over. */
export function watch(hosts: readonly FleetHost[], ca: Ca): Watcher {
  let wanted: readonly Ca[] = [ca]
  let looks = 0
  let ended = false
  const watched = new Set(hosts)
  const troubles: string[] = []
  const look = async (each: FleetHost) => {
    const before = wanted
    const text = (await each.caFile()) ?? ''
    // What changed while it was read is looked at the next time.
    if (before !== wanted || !watched.has(each)) return
    looks += 1
    const lacking = before.filter(({ publicKey }) => !text.includes(publicKey.split(' ')[1] ?? ''))
    if (lacking.length > 0) {
      troubles.push(`${each.host.name} lacks ${lacking.map(({ publicKey }) => publicKey).join()}`)
    }
  }
  const loop = (async () => {
    while (!ended) {
      await Promise.all([...watched].map(look))
      await sleep(10)
    }
  })()
  return {
    signing(...cas) {
      wanted = cas
    },
    forget: host => void watched.delete(host),
    looks: () => looks,
    troubles,
    async [Symbol.asyncDispose]() {
      ended = true
      await loop
    },
  }
}

/** A login through Pomerium, which signs with `ca`, and what sshd logged of it. */
export async function proofScript({ host, address }: FleetHost, ca: Ca): Promise<string> {
  const { privateKey, certificate } = await ca.issue()
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'BatchMode=yes']
  const flags = [...options, `CertificateFile=${certificate}`].map(each => `-o ${each}`).join(' ')
  const journal = `nsenter -t ${host.pid} --all journalctl --unit=ssh --lines=20 --no-pager`
  return [
    `ssh ${flags} -i ${privateKey} alice@${address} true || exit 1`,
    // sshd's line takes a moment to come into the journal.
    `for try in $(seq 50); do ${journal} | grep ${ca.fingerprint} && exit 0; sleep 0.1; done`,
    'exit 1',
  ].join('\n')
}

// What every fleet begins with: a network, two CAs, and a server of a bundle that names the first.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ca } from '../../sshd/ssh-ca.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { makeNetwork, makeRoom, type Network } from '../harness/network.ts'
import { bootFleetHost, type FleetHost, type FleetOptions, makeCas } from '../hosts/fleet-host.ts'
import { type Rotation, rotationIn, type Server, startServer } from '../hosts/operator.ts'

export interface Fleet extends AsyncDisposable {
  network: Network
  before: Ca
  after: Ca
  /** Where the bundle is published, with serial 1. */
  bundle: string
  server: Server
  secret: string
  /** Writes a file for the operator, where there is a text; returns its path. */
  file(name: string, text?: string): string
  /** A host that asks the server, unless another source is given, and is stopped at the end. */
  boot(
    options: Omit<FleetOptions, 'network' | 'secret' | 'source'> & Partial<FleetOptions>,
  ): Promise<FleetHost>
  /** `bundle rotate` of this bundle from the first CA to the second, on these hosts. */
  rotation(hosts: readonly FleetHost[], ...flags: readonly string[]): Rotation
}

/** `instances`: how many inotify instances the hosts need together. */
export async function givenFleet({ instances = 1024 } = {}): Promise<Fleet> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempDir())
  stack.use(await makeRoom(instances))
  const network = stack.use(await makeNetwork())
  const [before, after] = await makeCas()
  stack.use(before)
  stack.use(after)
  const file = (name: string, text?: string) => {
    const path = join(folder.path, name)
    if (text !== undefined) writeFileSync(path, text)
    return path
  }
  const bundle = file('bundle', `# serial: 1\n${before.publicKey}\n`)
  const server = await startServer(network, folder.path, bundle)
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const source = { url: server.url, ca: server.tls.ca }
  const hosts: FleetHost[] = []
  stack.defer(async () => {
    await Promise.all(hosts.map(({ host }) => host.stop()))
  })
  const all = stack.move()
  return {
    ...{ network, before, after, bundle, server, secret, file },
    async boot(options) {
      const host = await bootFleetHost({ network, source, secret, ...options })
      hosts.push(host)
      return host
    },
    rotation(hosts, ...flags) {
      const addresses = hosts.map(({ address }) => `${address}\n`).join('')
      return rotationIn(network, folder.path, [
        ...['--bundle', bundle, '--new', file('new.pub', `${after.publicKey}\n`)],
        ...['--hosts', file('hosts', addresses), '--secret-file', file('secret', secret)],
        ...flags,
      ])
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

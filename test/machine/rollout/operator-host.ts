// The operator's own host, on which a recipe for a whole fleet is followed: with the release in a
// folder, a signed bundle published, and a cable to the hosts.

import { join } from 'node:path'
import { execa } from 'execa'
import { inject } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import type { Suite } from '../harness/base.ts'
import { bootHost, type Host, type HostOptions, systemdIsUp } from '../harness/host.ts'
import { releaseKit } from '../hosts/release-kit.ts'
import { type RecipeStep, readRecipe } from '../recipes/recipe.ts'
import { HOSTS_FILE, makeLan, NAMES, plugIn } from './lan.ts'

const SERVE_FOLDER = join(import.meta.dirname, '../programs/serve-folder.ts')
const WWW = '/srv/www'
/** The recipe's folder on the operator's host. */
export const HOME = '/root'

export interface OperatorHost extends AsyncDisposable {
  host: Host
  /** Whose certificates Pomerium signs. */
  ca: Ca
  /** Does what the recipe says below a heading, and returns what that printed; throws where it fails. */
  follow(section: string): Promise<string>
  /** Makes the operator's own key for logins as `user`, and returns its public half. */
  makeSshKey(user: string): Promise<string>
  /** Lets the operator's ssh know the hosts' keys, in the order of their numbers from 2. */
  knowHosts(hosts: readonly Host[]): Promise<void>
  /** Boots a host of the fleet: plain, plugged in before the first of its services runs. */
  bootMember(number: number, options: HostOptions): Promise<Host>
}

export async function bootOperatorHost(name: string, suite: Suite): Promise<OperatorHost> {
  const recipe = readRecipe(name)
  await using stack = new AsyncDisposableStack()
  const [kit, ca, tls] = await Promise.all([
    releaseKit(),
    makeCa('ed25519', 'pomerium-user-ca-2026-11'),
    makeTestTls({ hosts: NAMES }),
  ])
  stack.use(kit)
  stack.use(ca)
  const prepareNames = async (files: Pick<Host, 'write'>) => {
    await files.write('/etc/hosts', HOSTS_FILE)
    await files.write('/etc/ssl/certs/ca-certificates.crt', tls.ca)
  }
  const host = stack.use(
    await bootHost({
      suite,
      layers: [inject('productLayer')],
      packages: recipe.packages,
      async prepare(files) {
        await prepareNames(files)
        await files.write('/srv/cert', tls.cert)
        await files.write('/srv/key', tls.key)
        await files.write(`${HOME}/current.pub`, `${ca.publicKey}\n`)
        const release = await kit.make()
        for (const path of [`${HOME}/release`, WWW])
          await execa('cp', ['-r', release, files.path(path)])
      },
    }),
  )
  await host.exec(['sh', '-euc', PUBLISH], { env: { HOME, WWW } })
  await makeLan(host)
  const args = [host.path(WWW), '443', host.path('/srv/cert'), host.path('/srv/key')]
  host.inNetwork([process.execPath, SERVE_FOLDER, ...args])
  await host.waitFor('the web server', async () => {
    return (await host.exec('ss -Hltn sport = :443')).stdout !== ''
  })
  const follow = async (step: RecipeStep): Promise<string> => {
    if (step.do === 'lay') return host.write(step.path, step.text).then(() => '')
    const script = `set -eu\ncd ${HOME}\n${step.script}`
    const { stdout } = await host
      .exec(['bash', '-c', script], { timeoutMs: 180_000 })
      .catch(error => {
        const where = `docs/recipes/${name}.md:${step.line}`
        throw new Error(`${where}: ${error.message}`, { cause: error })
      })
    return stdout
  }
  const members = stack.use(new AsyncDisposableStack())
  const end = stack.move()
  return {
    host,
    ca,
    async follow(section) {
      const steps = recipe.steps.filter(step => step.section === section)
      if (steps.length === 0) throw new Error(`there is nothing to do under "${section}"`)
      let printed = ''
      for (const step of steps) printed += await follow(step)
      return printed
    },
    async makeSshKey(user) {
      await host.write(`${HOME}/.ssh/config`, `User ${user}\n`, { mode: 0o600 })
      await host.exec(`ssh-keygen -q -t ed25519 -N '' -f ${HOME}/.ssh/id_ed25519`)
      return host.read(`${HOME}/.ssh/id_ed25519.pub`)
    },
    async knowHosts(hosts) {
      const lines = hosts.map(async (each, index) => {
        const key = await each.read('/etc/ssh/ssh_host_ed25519_key.pub')
        return `host-${2 + index}.example.com ${key}`
      })
      await host.write(`${HOME}/.ssh/known_hosts`, (await Promise.all(lines)).join(''))
    },
    async bootMember(number, options) {
      const member = await bootHost({
        ...options,
        async prepare(files) {
          await prepareNames(files)
          await options.prepare?.(files)
        },
        // It is still booting when this is asked.
        booted: async booting => plugIn(host, booting, number).then(() => true),
      })
      members.use(member)
      await member.waitFor('the end of the boot', () => systemdIsUp(member), 120_000)
      return member
    },
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  }
}

// Who signs the bundle, and the bundle, signed by plain ssh-keygen.
const PUBLISH = `
cd "$HOME"
ssh-keygen -q -t ed25519 -N '' -C bundle-signer -f bundle-signer
echo "pomerium-host-agent namespaces=\\"pomerium-user-ca\\" $(cat bundle-signer.pub)" > bundle-signers
pomerium-host-agent bundle create --serial 1 --output bundle current.pub
ssh-keygen -q -Y sign -f bundle-signer -n pomerium-user-ca bundle
cat bundle bundle.sig > "$WWW/bundle"
`

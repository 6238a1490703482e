// A host on which a recipe is followed: publisher and host in one, with every name on its loopback.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { bootHost, type Host } from '../harness/host.ts'
import { OBJECT_STORE_PACKAGES, startObjectStore } from './object-store.ts'
import type { Recipe, RecipeStep } from './recipe.ts'
import { layCredentials, STAND_INS } from './stand-ins.ts'

const NAMES = ['ssh-ca', 'kubernetes', 'vault', 'ca', 's3'].map(name => `${name}.example.com`)
const SERVE = join(import.meta.dirname, '../programs/serve-replies.ts')
// Where recipes expect a private CA; the public ones are in the host's own roots.
const PRIVATE_ROOTS = ['/etc/pomerium/kubernetes-ca.pem', '/etc/pomerium/step-ca-root.pem']

export interface RecipeHost extends AsyncDisposable {
  host: Host
  current: Ca
  next: Ca
  /** Does what one block of the recipe says; throws where a command fails. */
  follow(step: RecipeStep): Promise<void>
}

/** Boots a host with what the recipe installs, and what README.md there says is in place. */
export async function bootRecipeHost(recipe: Recipe): Promise<RecipeHost> {
  const outside = await mkdtemp(join(tmpdir(), 'recipe-'))
  const [tls, current, next] = await Promise.all([
    makeTestTls({ hosts: NAMES }),
    makeCa('ed25519', 'pomerium-user-ca-2026-11'),
    makeCa('ed25519', 'pomerium-user-ca-2026-12'),
  ])
  const host = await bootHost({
    suite: 'bookworm',
    layers: [inject('productLayer')],
    packages: [...recipe.packages, ...(recipe.name === 's3' ? OBJECT_STORE_PACKAGES : [])],
    prepare: async files => {
      await files.write('/etc/hosts', `127.0.0.1 localhost ${NAMES.join(' ')}\n`)
      await files.write('/etc/ssl/certs/ca-certificates.crt', tls.ca)
      for (const path of PRIVATE_ROOTS) await files.write(path, tls.ca)
      await files.write('/etc/ssl/ssh-ca.example.com.pem', tls.cert)
      await files.write('/etc/ssl/ssh-ca.example.com.key', tls.key, { mode: 0o600 })
      await files.write('/root/current.pub', `${current.publicKey}\n`)
      await files.write('/root/next.pub', `${next.publicKey}\n`)
      await layCredentials(files)
    },
  })
  if (recipe.name === 's3') await startObjectStore(host)
  const standIn = STAND_INS[recipe.name]
  const replies = join(outside, 'replies.json')
  const refresh = async (rotated: boolean) =>
    writeFile(replies, JSON.stringify((await standIn?.replies(host, rotated)) ?? []))
  if (standIn !== undefined) {
    await Promise.all([
      refresh(false),
      writeFile(join(outside, 'cert'), tls.cert),
      writeFile(join(outside, 'key'), tls.key),
    ])
    const args = [String(standIn.port), replies, join(outside, 'cert'), join(outside, 'key')]
    host.inNetwork([process.execPath, SERVE, ...args])
    await host.waitFor('the stand-in', async () => {
      return (await host.exec(`ss -Hltn sport = :${standIn.port}`)).stdout !== ''
    })
  }
  return {
    host,
    current,
    next,
    async follow(step) {
      await refresh(step.rotated)
      if (step.do === 'lay') return host.write(step.path, step.text)
      const script = `set -eu\ncd /root\n${step.script}`
      await host.exec(['bash', '-c', script], { timeoutMs: 60_000 }).catch(error => {
        const where = `docs/recipes/${recipe.name}.md:${step.line}`
        throw new Error(`${where}: ${error.message}`, { cause: error })
      })
    },
    async [Symbol.asyncDispose]() {
      await host.stop()
      await Promise.all([current, next].map(ca => ca[Symbol.asyncDispose]()))
      await rm(outside, { recursive: true, force: true })
    },
  }
}

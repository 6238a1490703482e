// A host that has been up for a while when the installer comes, as every host in earnest has: the timer of the
// poll is due the moment it is started.

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Suite } from '../harness/base.ts'
import { type BareHost, bootBareHost, SOURCE } from './bare-host.ts'
import { signWebhook } from './webhook-host.ts'

/** Past `OnBootSec=` of the timer, with what a busy machine adds. */
const AGE_MS = 22_000
const SECRET_FILE = '/root/webhook-secret'
const LISTEN = '127.0.0.1:9444'

export interface OldHost extends BareHost {
  /** Waits until the host is old enough. */
  age(): Promise<void>
  /** Installs with a webhook; throws where that does not end with 0 and in silence. */
  installWell(): Promise<void>
  /** A webhook is answered by a cycle of its own, and nothing of ours has failed. */
  expectToFollow(listen?: string): Promise<void>
}

export async function bootOldHost(suite: Suite): Promise<OldHost> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`
  const it = await bootBareHost({
    suite,
    prepare: files => files.write(SECRET_FILE, `${secret}\n`, { mode: 0o600 }),
  })
  const booted = performance.now()
  return {
    ...it,
    age: () => sleep(Math.max(0, AGE_MS - (performance.now() - booted))),
    async installWell() {
      const flags = ['--webhook-listen', LISTEN, '--webhook-secret-file', SECRET_FILE]
      const installed = await it.install([...SOURCE, ...flags])
      expect(installed, await it.host.journal()).toMatchObject({ code: 0, stderr: '' })
    },
    expectToFollow: (listen = LISTEN) => expectToFollow(it, secret, listen),
  }
}

async function expectToFollow({ host }: BareHost, secret: string, listen: string): Promise<void> {
  const curl = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '15']
  // The resident listens a moment after systemd has started it.
  await host.waitFor(
    'an answer',
    async () => {
      const headers = Object.entries(signWebhook('{}', secret)).flatMap(([name, value]) => [
        '-H',
        `${name}: ${value}`,
      ])
      const line = [...curl, '-d', '{}', ...headers, `http://${listen}/webhook/rotation`]
      const { stdout } = await host.exec(line, { allowFail: true })
      // Under load a cycle may take longer than an answer waits for it.
      return stdout === '200' || stdout === '202'
    },
    60_000,
  )
  const failed = await host.exec(`systemctl list-units --failed --no-legend 'pomerium-host-agent*'`)
  expect(failed.stdout).toBe('')
}

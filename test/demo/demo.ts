// The main job, end to end, on loopback: `npm run demo`. Needs no root and touches nothing of the
// machine; everything lies in a temporary folder that goes with the process. OpenSSH that the machine lacks
// is fetched into the user's cache, and stays there.

import { styleText } from 'node:util'
import type { Outcome } from '../../agent/core/outcome/outcome.ts'
import { isGood } from '../../agent/core/outcome/outcome-rows.ts'
import { provision } from '../../agent/provisioner/provision.ts'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { startControlPlane } from '../control-plane/control-plane.ts'
import { makeCa } from '../sshd/ssh-ca.ts'
import { throwawayConfig, throwawayHost } from '../sshd/throwaway-host.ts'
import { startThrowawaySshd } from '../sshd/throwaway-sshd.ts'
import { findTools } from '../sshd/tools.ts'
import { bringOpenssh } from './bring-openssh.ts'

/** Something in the story went otherwise than told. */
class DemoError extends Error {
  override name = 'DemoError'
}

const say = (text: string) => process.stdout.write(`${text}\n`)

/** One line of the story, 80 columns at most: what was done, how long it took, what came of it. */
async function step<T>(
  title: string,
  work: () => Promise<T>,
  result: (value: T) => string,
): Promise<T> {
  const start = performance.now()
  const value = await work()
  const took = `${Math.round(performance.now() - start)} ms`.padStart(7)
  say(`  ${styleText('green', '✓')} ${title.padEnd(34)} ${took}  ${result(value)}`)
  return value
}

async function demo(): Promise<void> {
  const brought = await bringOpenssh(say)
  const tools = brought.ok ? findTools() : brought
  if (!tools.ok) throw new DemoError(`the demo needs OpenSSH: ${tools.why}`)
  say('\nA throwaway sshd, a control plane and two User CAs, all on loopback:\n')
  const start = performance.now()

  await using sshd = await step(
    'start an sshd that trusts no CA',
    startThrowawaySshd,
    it => `127.0.0.1:${it.port}`,
  )
  const makeUserCa = (title: string, comment: string) =>
    step(
      title,
      () => makeCa('ed25519', comment),
      () => comment,
    )
  await using first = await makeUserCa('make the first User CA', 'pomerium-user-ca-2026-11')
  await using second = await makeUserCa('make the second', 'pomerium-user-ca-2026-12')
  const plane = await step('start a control plane', startControlPlane, ({ url }) => url)

  const config = throwawayConfig(sshd.root, `source: { url: "${plane.url}" }`)
  const host = await throwawayHost(sshd, config)
  const apply = (title: string, ...cas: { publicKey: string }[]) =>
    step(
      title,
      async () => {
        plane.setBundle(cas.map(ca => `${ca.publicKey}\n`).join(''))
        const fetched = await fetchBundle({ url: plane.url })
        if (fetched.kind !== 'bundle') throw new DemoError(`the fetch gave ${fetched.kind}`)
        const request = { bundle: fetched.bytes, source: plane.url, config, now: new Date() }
        const { outcome } = await provision(request, host)
        return outcome
      },
      describe,
    )
  const login = (title: string, ca: typeof first, expected: 'accepted' | 'refused') =>
    step(
      title,
      async () => {
        const { outcome, stderr } = await sshd.login({ ca })
        if (outcome !== expected)
          throw new DemoError(`${title}: ${outcome}\n${stderr}\n${sshd.log()}`)
        return outcome
      },
      outcome => outcome,
    )

  try {
    await login('log in, certified by the first', first, 'refused')
    say('\nProvision the host:\n')
    await apply('publish the first, and apply', first)
    await login('log in, certified by the first', first, 'accepted')
    await login('log in, certified by the second', second, 'refused')
    await apply('apply again', first)
    say('\nRotate, first both, then the new one only:\n')
    await apply('publish both, and apply', first, second)
    await login('log in, certified by the first', first, 'accepted')
    await login('log in, certified by the second', second, 'accepted')
    await apply('publish the second only, and apply', second)
    await login('log in, certified by the first', first, 'refused')
    await login('log in, certified by the second', second, 'accepted')
  } finally {
    await plane.close()
  }
  say(`\nDone in ${((performance.now() - start) / 1000).toFixed(1)} s; nothing of it is left.\n`)
  say('On a server of your own: docs/guide/first-login.md\n')
}

function describe(outcome: Outcome): string {
  if (!isGood(outcome)) {
    throw new DemoError(`${outcome.outcome}: ${outcome.message}`)
  }
  return outcome.message
}

try {
  await demo()
} catch (error) {
  if (!(error instanceof DemoError)) throw error
  process.stderr.write(`\n${error.message}\n`)
  process.exitCode = 1
}

// A rotation by webhook, asleep and awake, and by the script, in turn.

import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Running } from '../machine/harness/exec.ts'
import { CA_FILE } from '../machine/hosts/agent-host.ts'
import { ourProcesses } from '../machine/hosts/installed-host.ts'
import type { WebhookHost } from '../machine/hosts/webhook-host.ts'
import type { Ca } from '../sshd/ssh-ca.ts'
import { forgetRestarts, quiet, SCRIPT_CA_FILE } from './bench-host.ts'
import type { Called } from './webhook-caller.ts'

/** Milliseconds from the webhook, or from the start of the script. */
export interface Rotation {
  /** To the rename that puts the new key in force: sshd reads the file at every login. */
  trust: number
  /** To the answer, or the script's end, when sshd runs again. */
  done: number
}

export const WAYS = ['script', 'asleep', 'awake'] as const
export type Way = (typeof WAYS)[number]
export type Rotations = Record<Way, Rotation[]>

/** Two keys in turn, so many rounds of the three ways. */
export async function measureRotations(
  it: WebhookHost,
  cas: [Ca, Ca],
  rounds: number,
  tell: (text: string) => void,
): Promise<Rotations> {
  const caller = dialogue(
    it.host.inNetwork([process.execPath, join(import.meta.dirname, 'webhook-caller.ts')]),
  )
  const loop = 'echo ready; while read -r _; do sh /root/rotate.sh >/dev/null && echo done; done'
  const script = dialogue(it.host.spawn(loop))
  await Promise.all([caller.hear(), script.hear()])
  let published = 0
  const publish = () => it.publish((cas[published++ % 2] as Ca).publicKey)
  const inForce = (path: string) =>
    Number(statSync(it.host.path(path), { bigint: true }).ctimeNs) / 1e6

  const byWebhook = async (): Promise<Rotation> => {
    const { sentAt, ms, status, body } = JSON.parse(
      await caller.ask(JSON.stringify(it.sign('{}'))),
    ) as Called
    const { outcome, service } = JSON.parse(body)
    if (status !== 200 || outcome !== 'applied' || service?.action !== 'restarted') {
      throw new Error(`the webhook was answered ${status}: ${body}`)
    }
    return { trust: inForce(CA_FILE) - sentAt, done: ms }
  }
  const ways: Record<Way, () => Promise<Rotation>> = {
    async asleep() {
      await it.host.exec(
        'systemctl stop pomerium-host-agent-webhook pomerium-host-agent-provisioner',
      )
      if ((await ourProcesses(it)).length > 0) throw new Error('it does not sleep')
      return byWebhook()
    },
    awake: byWebhook,
    async script() {
      const started = performance.timeOrigin + performance.now()
      const heard = await script.ask('')
      const done = performance.timeOrigin + performance.now() - started
      if (heard !== 'done') throw new Error(`the script said ${heard}`)
      return { trust: inForce(SCRIPT_CA_FILE) - started, done }
    },
  }
  const rotations: Rotations = { script: [], asleep: [], awake: [] }
  for (let round = 0; round < rounds; round++) {
    // The script now before ours, now behind.
    const order = round % 2 === 0 ? WAYS : (['asleep', 'awake', 'script'] as const)
    for (const way of order) {
      await publish()
      await forgetRestarts(it)
      rotations[way].push(await ways[way]())
      await quiet(it)
    }
    tell(`round ${round + 1} of ${rounds}`)
  }
  for (const { running } of [caller, script]) running.kill()
  return rotations
}

// A line for a line.
function dialogue(running: Running) {
  const lines = createInterface({ input: running.stdout })
  const hear = async () => {
    const [line] = (await Promise.race([
      once(lines, 'line'),
      running.done.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ])) as [string]
    return line
  }
  return {
    running,
    hear,
    ask(line: string) {
      const heard = hear()
      running.stdin.write(`${line}\n`)
      return heard
    },
  }
}

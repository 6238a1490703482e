// What may happen to our files on a host, asleep or resident.

import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Host } from '../harness/host.ts'
import { CA_FILE, DROP_IN, REVOKED } from './agent-host.ts'

/** Kinds of drift that are put right, each with the command that makes it. */
export const DRIFT: [kind: string, command: string][] = [
  ['deleted', `rm ${CA_FILE}`],
  ['edited', `echo '# mine' >> ${DROP_IN}`],
  ['emptied', `: > ${CA_FILE}`],
  ['chmod', `chmod 666 ${CA_FILE}`],
  ['chown', `chown nobody ${DROP_IN}`],
  ['renamed away', `mv ${DROP_IN} /root/`],
  ['sshd_config rewritten', `sed -i '/^Include/d' /etc/ssh/sshd_config`],
]

/** The same of the list of revoked keys; by the first two sshd refuses everybody. */
export const LIST_DRIFT: [kind: string, command: string][] = [
  ['deleted', `rm ${REVOKED}`],
  ['garbage in it', `echo garbage >> ${REVOKED}`],
  ['emptied', `: > ${REVOKED}`],
  ['chmod', `chmod 666 ${REVOKED}`],
  ['no longer named', `sed -i '/^RevokedKeys/d' ${DROP_IN}; systemctl restart ssh`],
]

/** A drop-in that sorts before ours and names another CA: reported, not displaced. */
export const SHADOW = {
  path: '/etc/ssh/sshd_config.d/00-shadow.conf',
  content: 'TrustedUserCAKeys /etc/ssh/other.pub\n',
}

/** Writes our file back without a pause, until it is killed. */
export const REWRITE_LOOP = `while :; do echo mine > ${CA_FILE}; sleep 0.1; done`

/** A drop-in that shadows ours is reported by file and line, and its going is followed. */
export async function expectShadowReported(host: Host, works: () => Promise<boolean>) {
  await host.write(SHADOW.path, SHADOW.content)
  await host.waitFor('the report', async () => {
    const { stdout } = await host.exec('pomerium-host-agent status', { allowFail: true })
    return stdout.includes(`${SHADOW.path}:1`)
  })
  await host.exec(`rm ${SHADOW.path}`)
  await host.waitFor('the repair', works)
}

/** What somebody does to the host is undone within 10 s, and nothing is left to do. */
export async function expectRepaired(host: Host, drift: string, works: () => Promise<boolean>) {
  await host.exec(drift)
  await host.waitFor('the repair', async () => {
    const { stdout } = await host.exec('pomerium-host-agent plan --json', { allowFail: true })
    return JSON.parse(stdout).changes === false && (await works())
  })
}

/** Under systemd, somebody who keeps rewriting our file is reported, and wakes us once a minute. */
export async function expectNoLoop(host: Host) {
  const loop = host.spawn(REWRITE_LOOP)
  const reported = async () => {
    const { stdout } = await host.exec('pomerium-host-agent status', { allowFail: true })
    return stdout.replaceAll(/\s+/g, ' ').includes(`keeps changing ${CA_FILE}`)
  }
  await host.waitFor('the report', reported, 40_000)
  const looks = async () =>
    (await host.journal('pomerium-host-agent-repair.service')).match(/ Starting /g)?.length ?? 0
  const before = await looks()
  await sleep(10_000)
  expect((await looks()) - before).toBeLessThanOrEqual(1)
  loop.kill()
  expect(await host.unitProperties('ssh.service', ['ActiveState'])).toEqual({
    ActiveState: 'active',
  })
}

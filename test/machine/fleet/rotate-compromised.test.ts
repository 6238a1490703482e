import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import type { Suite } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import type { FleetHost } from '../hosts/fleet-host.ts'
import { proofScript } from '../hosts/operator.ts'
import { ALL_PLACES, addBob } from '../trust/stolen-places.ts'
import { givenFleet } from './given-fleet.ts'

const SUITES: readonly Suite[] = [
  ...(['bullseye', 'trixie'] as const),
  ...Array<Suite>(8).fill('bookworm'),
]
const [ADOPTS_AT, BEHIND_AT, LIES_AT] = [5, 6, 7]
// One of each suite, on which five other places name the stolen key too.
const [NAMES_FIRST, NAMES_LAST] = [0, 2]
const TEAM = '/etc/ssh/sshd_config.d/10-team.conf'
const SOCKET = 'pomerium-host-agent-webhook.socket'
const TIMER = 'pomerium-host-agent.timer'

// What stands at the address of a host that was taken over, and was never given the secret.
const LIAR = (outcome: object) => `
require('node:http').createServer((request, response) => {
  request.resume().on('end', () => response.end(${JSON.stringify(JSON.stringify(outcome))}))
}).listen(9444, '0.0.0.0')
`

describeTier('bundle rotate --compromised', machineTier(), () => {
  test('10 hosts: 1 adopts the stolen key, 1 is left behind, 1 lies; never done until none trusts it', async () => {
    await using given = await givenFleet()
    const { network, before: stolen, after: next, file } = given
    await using theirs = await makeCa('ecdsa', 'theirs')
    const fleet: FleetHost[] = []
    const boot = async (at: number) => {
      for (; at < SUITES.length; at += 2) {
        const adopts = at === ADOPTS_AT
        const names = at >= NAMES_FIRST && at <= NAMES_LAST
        const it = await given.boot({
          suite: SUITES[at] ?? 'bookworm',
          // It never had a bundle that names the stolen key, and trusts it by another owner's line.
          isPolling: !adopts,
          config: adopts || names ? 'sshd: { conflict: adopt }\n' : '',
          prepare: async files => {
            if (!adopts) return
            await files.write('/etc/ssh/team.pub', `${stolen.publicKey}\n`)
            await files.write(TEAM, 'TrustedUserCAKeys /etc/ssh/team.pub\n')
          },
        })
        fleet[at] = it
        if (names) {
          await addBob(it.host)
          await ALL_PLACES.lay(it.host, stolen.publicKey, theirs.publicKey)
        }
        if (!adopts) await it.poll(stolen)
      }
    }
    await Promise.all([0, 1].map(boot))
    const [adopting, behind, lying] = [ADOPTS_AT, BEHIND_AT, LIES_AT].map(at => fleet[at]) as [
      FleetHost,
      FleetHost,
      FleetHost,
    ]
    // The one that adopts is rid of the stolen key with the others: the bundle revokes it.
    const open = [behind, lying]
    const honest = fleet.filter(host => !open.includes(host))
    const naming = fleet.slice(NAMES_FIRST, NAMES_LAST + 1)
    /** On those that name the stolen key elsewhere: by it as alice and as bob, and by another's CA. */
    const elsewhere = () =>
      Promise.all(
        naming.map(async ({ host }) => {
          const as = async (ca: Ca, user: string) => (await login(host, { ca, user })).outcome
          return [
            await as(stolen, 'alice'),
            await as(stolen, 'bob'),
            await as(theirs, 'alice'),
          ].join()
        }),
      )
    const logins = async (hosts: readonly FleetHost[]) =>
      Promise.all(
        hosts.map(async host => {
          const results = [await host.login(stolen), await host.login(next)]
          return results.map(({ outcome }) => outcome).join()
        }),
      )

    expect(await elsewhere()).toEqual(naming.map(() => 'accepted,accepted,accepted'))
    await network.cable(behind.host, 'down')
    await lying.host.exec(`systemctl stop ${TIMER} ${SOCKET} pomerium-host-agent.service`)
    const [type = '', , comment = ''] = next.publicKey.split(' ')
    const claim = {
      outcome: 'applied',
      message: 'this host now trusts 1 CA key',
      steps: [],
      trusted: [{ type, fingerprint: next.fingerprint, comment }],
      serial: 2,
    }
    const liar = lying.host.inNetwork([process.execPath, '-e', LIAR(claim)])

    const { rotate, stateFile } = given.rotation(fleet, '--compromised', '--timeout', '30s')
    const missing = open.map(({ address }) => address)
    const standing = [
      { host: behind.address, state: 'unreachable' },
      { host: lying.address, state: 'failed', code: 'answer-unsigned' },
    ]
    const ofOpen = (stdout: string) =>
      JSON.parse(stdout).hosts.filter(({ host }: { host: string }) => missing.includes(host))

    const begun = await rotate()
    expect(begun.code).toBe(11)
    expect(JSON.parse(begun.stdout)).toMatchObject({ end: 'switch', missing })
    expect(ofOpen(begun.stdout)).toMatchObject(standing)
    expect(await adopting.host.read(CA_FILE)).not.toContain(stolen.publicKey.split(' ')[1])

    // However it is gone on with, it is not done, and each is named; exit code 9.
    const proof = file('prove.sh', await proofScript(honest[0] as FleetHost, next))
    const leave = ['--leave-behind', behind.address]
    for (const args of [['--switched', '--prove-command', `sh ${proof}`, ...leave], leave, []]) {
      const { code, stdout } = await rotate(args)
      expect(code).toBe(9)
      expect(JSON.parse(stdout)).toMatchObject({ end: 'hosts-missing', missing })
      expect(ofOpen(stdout)).toMatchObject(standing)
    }
    expect(readFileSync(stateFile, 'utf8')).toContain('step: confirm-new')
    // Which is so: the stolen key opens just these.
    expect(await logins(honest)).toEqual(honest.map(() => 'refused,accepted'))
    expect(await elsewhere()).toEqual(naming.map(() => 'refused,refused,accepted'))
    expect((await logins(open)).every(outcomes => outcomes.startsWith('accepted'))).toBe(true)

    // Each is mended, and only then it is done.
    await network.cable(behind.host, 'up')
    expect((await rotate()).code).toBe(9)
    liar.kill()
    await liar.done
    // A timer that is due starts the service, and then systemd refuses to start the socket.
    await lying.host.exec(`systemctl start ${SOCKET} && systemctl start ${TIMER}`)
    const done = await rotate()
    expect(done.code).toBe(0)
    expect(JSON.parse(done.stdout)).toMatchObject({ end: 'done', missing: [] })
    await honest[0]?.host.waitFor('all logins', async () =>
      (await logins(fleet)).every(outcomes => outcomes === 'refused,accepted'),
    )
  }, 600_000)
})

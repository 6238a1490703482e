import { expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { PROGRAM } from '../hosts/operator.ts'
import { givenFleet } from './given-fleet.ts'

const WEBHOOK = 'pomerium-host-agent-webhook.service'
// What a cycle leaves behind, whatever it came to: when and how the source was asked. The provisioner's own report
// is no sign of one, since the watch has it look at the files after each change.
const ASKED = '/var/lib/pomerium-host-agent-daemon/polls.json'

/** What stands at the address of a host that is none: it says what it is given, on a port of its own. */
const ANSWERS = (port: number, status: number, body: object) => `
require('node:http').createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(${status}).end(${JSON.stringify(JSON.stringify(body))})
  })
}).listen(${port}, '0.0.0.0')
`

describeTier('bundle status over a fleet', machineTier(), () => {
  test('one asleep, one resident; late, forged, of an earlier version, down: each is told, and no cycle begins', async () => {
    await using fleet = await givenFleet()
    const { network, before, after, server, bundle, file } = fleet
    // Nobody but a webhook has it look.
    const asleep = await fleet.boot({ suite: 'bullseye', isPolling: false })
    const resident = await fleet.boot({ suite: 'trixie' })
    // It runs each unit once.
    await resident.host.exec('pomerium-host-agent configure --resident', { timeoutMs: 180_000 })
    const call = async (command: 'notify' | 'status', hosts: readonly string[]) => {
      const flags = ['--secret-file', file('secret'), '--bundle', bundle, '--json']
      const { code, stdout } = await network.run([...PROGRAM, command, ...flags, ...hosts]).done
      return { code, ...JSON.parse(stdout) }
    }
    file('secret', fleet.secret)
    const addresses = [asleep.address, resident.address]
    expect((await call('notify', addresses)).code).toBe(0)

    // As the minute after a webhook does: nothing of ours is awake there.
    const stop = `systemctl stop ${WEBHOOK} pomerium-host-agent-provisioner.service`
    await asleep.host.exec(stop)
    const traces = () => Promise.all([asleep, resident].map(({ host }) => host.read(ASKED)))
    const ports = { forged: 9445, earlier: 9446, none: 9 }
    const at = (port: number) => `${asleep.address}:${port}`
    const [type = '', , comment = ''] = after.publicKey.split(' ')
    const claim = {
      ...{ ok: true, code: 'in-force', findings: [], message: 'sshd trusts 1 CA key', serial: 2 },
      trusted: [{ type, fingerprint: after.fingerprint, comment }],
      effective: { value: true, at: new Date().toISOString() },
    }
    asleep.host.inNetwork([process.execPath, '-e', ANSWERS(ports.forged, 200, claim)])
    const unknown = { code: 'not-found', message: 'there is nothing here' }
    asleep.host.inNetwork([process.execPath, '-e', ANSWERS(ports.earlier, 404, unknown)])
    await asleep.host.waitFor('both', async () => {
      const { stdout } = await asleep.host.exec(
        `ss -Hltn '( sport = :${ports.forged} or sport = :${ports.earlier} )'`,
      )
      return stdout.trim().split('\n').length === 2
    })

    // All is well, which wakes the one for a moment.
    const untouched = await traces()
    const well = await call('status', addresses)
    expect(well).toMatchObject({
      ...{ code: 0, converged: true, wanted: { serial: 1 } },
      hosts: addresses.map(host => ({
        ...{ host, state: 'converged', serial: 1, effective: true, findings: [] },
        trusted: [{ fingerprint: before.fingerprint }],
      })),
    })
    const isDown = async () =>
      (await asleep.host.unitProperties(WEBHOOK, ['ActiveState'])).ActiveState === 'inactive'
    // A rotation would keep it for a minute.
    await asleep.host.waitFor('sleep', isDown, 20_000)

    // A newer one is published, and the resident alone is told of it.
    file('bundle', `# serial: 2\n${after.publicKey}\n`)
    await asleep.host.waitFor('the server', () => server.log().includes('"serial":2'))
    expect(await traces()).toEqual(untouched)
    expect((await call('notify', [resident.address])).code).toBe(0)
    const hosts = [...addresses, at(ports.forged), at(ports.earlier), at(ports.none)]
    const late = await call('status', hosts)
    expect(late).toMatchObject({
      ...{ code: 9, converged: false },
      hosts: [
        { state: 'late', serial: 1, trusted: [{ fingerprint: before.fingerprint }] },
        { state: 'converged', serial: 2, trusted: [{ fingerprint: after.fingerprint }] },
        { state: 'failed', code: 'answer-unsigned' },
        { state: 'failed', code: 'no-status' },
        { state: 'unreachable', code: 'connection-refused' },
      ],
    })
    expect((await traces())[0]).toBe(untouched[0])
    expect((await asleep.login(before)).outcome).toBe('accepted')

    // What it says to do next mends it.
    expect((await call('notify', addresses)).code).toBe(0)
    expect((await call('status', addresses)).code).toBe(0)
    await asleep.host.waitFor('the new CA', async () => {
      return (await asleep.login(after)).outcome === 'accepted'
    })

    // One whose sshd is dead has the bundle, and is not well; one behind a pulled cable is not known.
    await asleep.host.exec('systemctl stop ssh.service')
    await network.cable(resident.host, 'down')
    expect(await call('status', addresses)).toMatchObject({
      code: 9,
      hosts: [
        { state: 'not-well', code: 'sshd-down', serial: 2, findings: ['sshd-down'] },
        { state: 'unreachable', code: 'no-route' },
      ],
    })
  }, 600_000)
})

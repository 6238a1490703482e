import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import type { Host } from '../harness/host.ts'
import { login } from '../harness/login.ts'
import { bootOperatorHost, HOME, type OperatorHost } from './operator-host.ts'

// What the recap says of each host, in the inventory's order.
const changed = (printed: string) =>
  [...printed.matchAll(/^host-\d\S+ +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0/gm)].map(
    ([, count]) => Number(count),
  )

describeTier('Ansible rolls it out', machineTier(), () => {
  let it: OperatorHost
  let hosts: Host[]
  beforeAll(async () => {
    it = await bootOperatorHost('ansible', 'trixie')
    const key = await it.makeSshKey('alice')
    await it.host.write(`${HOME}/ansible.cfg`, '[ssh_connection]\npipelining = true\n')
    hosts = await Promise.all(
      suites.map((suite, index) =>
        it.bootMember(2 + index, {
          suite,
          packages: ['python3', 'sudo'],
          async prepare(files) {
            await files.write('/home/alice/.ssh/authorized_keys', key)
            await files.write('/etc/sudoers.d/alice', 'alice ALL=(ALL) NOPASSWD: ALL\n')
          },
        }),
      ),
    )
    await it.knowHosts(hosts)
  })
  afterAll(() => it?.[Symbol.asyncDispose]())

  test('a check, a rollout, and a day on which nothing is to do', async () => {
    await it.follow('The play')
    const logins = async () =>
      Promise.all(hosts.map(async host => (await login(host, { ca: it.ca })).outcome))

    // The folder, the signers and the installer are new; whether it can be installed is not known yet.
    expect(changed(await it.follow('Look first'))).toEqual([3, 3, 3])
    for (const host of hosts) expect(host.exists('/etc/pomerium')).toBe(false)

    expect(changed(await it.follow('Roll it out'))).toEqual([4, 4, 4])
    expect(await logins()).toEqual(['accepted', 'accepted', 'accepted'])

    const day = await it.follow('Every day')
    expect(changed(day)).toEqual([0, 0, 0])
    expect(day.split(it.ca.fingerprint)).toHaveLength(4)

    // What somebody has broken, a check names; every unit that would repair it is stopped, the poll's too.
    const [first] = hosts
    await first?.exec('systemctl stop "pomerium*"; rm /etc/ssh/sshd_config.d/pomerium-ca.conf')
    expect(changed(await it.follow('Look first'))).toEqual([1, 0, 0])

    await it.follow('Off again')
    expect(await logins()).toEqual(['refused', 'refused', 'refused'])
    for (const host of hosts) expect(host.exists('/usr/local/bin/pomerium-host-agent')).toBe(false)
  })
})

import { execa } from 'execa'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { ensureBase } from '../harness/base.ts'
import type { Host } from '../harness/host.ts'
import { login } from '../harness/login.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { bootOperatorHost, type OperatorHost } from './operator-host.ts'

const suite = 'bookworm'
// OnBootSec=15s, RandomizedDelaySec=30s; and what a busy machine takes beside.
const isFirstPoll = (seconds: number) => seconds >= 15 && seconds <= 45
const FIRST_POLL_MS = 90_000

// Microseconds from the boot of a host to its first poll, which its timer alone decides.
async function firstPoll(host: Host): Promise<number> {
  const ask = async (path: string, face: string, name: string) => {
    const bus = 'org.freedesktop.systemd1'
    const asked = ['busctl', 'get-property', bus, `/org/freedesktop/systemd1${path}`]
    const { stdout } = await host.exec([...asked, `${bus}.${face}`, name])
    return Number(stdout.replace('t ', ''))
  }
  const timer = '/unit/pomerium_2dhost_2dagent_2etimer'
  const booted = await ask('', 'Manager', 'UserspaceTimestampMonotonic')
  return (await ask(timer, 'Timer', 'NextElapseUSecMonotonic')) - booted
}

describeTier('the agent in an image', machineTier(), () => {
  let it: OperatorHost
  beforeEach(async () => {
    it = await bootOperatorHost('images', suite)
  })
  afterEach(() => it?.[Symbol.asyncDispose]())
  const outcome = async (host: Host) => (await login(host, { ca: it.ca })).outcome
  const ours = async (host: Host, folder: string) => Object.keys(await host.snapshot(folder)).sort()

  test('Packer makes it, and clones converge by themselves, each in its own second', async () => {
    const key = await it.makeSshKey('root')
    const original = await it.bootMember(2, {
      suite,
      prepare: files => files.write('/root/.ssh/authorized_keys', key, { mode: 0o600 }),
    })
    await it.follow('With Packer')
    const kept = await ours(original, '/var/lib/pomerium-host-agent')
    expect(kept.filter(name => !name.startsWith('users-before'))).toEqual(['.', 'install.json'])
    expect(await ours(original, '/var/lib/pomerium-host-agent-daemon')).toEqual([])
    expect(await ours(original, '/run/pomerium-host-agent')).toEqual([])
    expect(original.exists(CA_FILE)).toBe(false)

    // Its disk, as a cloud would snapshot it, with the machine's id emptied as everywhere.
    await original.exec('sync; : >/etc/machine-id; rm -f /var/lib/dbus/machine-id')
    await original.powerCut()
    await using image = await tempDir()
    await execa('cp', ['-a', `${original.root}/../upper/.`, image.path])
    const clones = await Promise.all(
      [3, 4].map(number => it.bootMember(number, { suite, layers: [image.path] })),
    )
    for (const clone of clones) expect(await outcome(clone)).toBe('refused')
    const polls = await Promise.all(clones.map(firstPoll))
    for (const poll of polls) expect(poll / 1e6).toSatisfy(isFirstPoll)
    expect(polls[0]).not.toBe(polls[1])
    for (const clone of clones) {
      await clone.waitFor('the first poll', () => clone.exists(CA_FILE), FIRST_POLL_MS)
      await clone.waitFor('a login', async () => (await outcome(clone)) === 'accepted')
    }
  })

  test('a tree is given the agent, and the keys too', async () => {
    const tree = '/mnt/image'
    await it.host.exec(`mkdir ${tree} && mount -t tmpfs tmpfs ${tree}`)
    await execa('cp', ['-a', `${await ensureBase(suite)}/.`, it.host.path(tree)])
    await it.follow('Without Packer: a tree')
    expect(it.host.exists(tree + CA_FILE)).toBe(false)

    await it.follow('The keys in the image too')
    expect(it.host.exists(CA_FILE)).toBe(false)
    await using image = await tempDir()
    await execa('cp', ['-a', `${it.host.path(tree)}/.`, image.path])
    const clone = await it.bootMember(3, { suite, layers: [image.path] })
    expect(await outcome(clone)).toBe('accepted')
    expect(clone.exists('/var/lib/pomerium-host-agent-daemon/polls.json')).toBe(false)
  })
})

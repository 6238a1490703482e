import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { census, difference } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { RELEASE_URL, type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const LINK = '/usr/local/bin/pomerium-host-agent'
const LINE = `curl -fsSL ${RELEASE_URL}/install.sh | sh -s -- --operator`

describeTier('the operator’s command', machineTier(), () => {
  let kit: ReleaseKit
  let release: string
  let ca: Ca
  let it: BareHost
  let before: Map<string, string>
  beforeAll(async () => {
    ;[kit, ca] = await Promise.all([releaseKit(), makeCa()])
    release = await kit.make()
    it = await bootBareHost({ suite: 'bookworm' })
    await it.offer(release)
    await it.publish(ca.publicKey)
    // A machine of its own may have neither sshd nor anything of ours; this one gets its sshd back.
    before = await census(it.host)
  })
  afterAll(async () => {
    for (const each of [it, kit, ca]) await each?.[Symbol.asyncDispose]()
  })
  const sh = (line: string) => it.host.exec(line, { allowFail: true, timeoutMs: 120_000 })
  const asAlice = (line: string) => sh(`su - alice -c '${line}'`)
  const changed = async () =>
    difference(before, await census(it.host)).map(line => line.split(':')[0])
  const below = (place: string) => (path: string | undefined) => path?.startsWith(place) === true
  afterEach(async () => {
    await it.install(['--uninstall'])
    await it.offer(release)
    await sh('rm -rf /home/alice/.local')
    expect(await changed()).toEqual([])
  })

  test('in a home, without root: nothing else is touched; upgraded, kept, and off by what it says', async () => {
    const first = await asAlice(LINE)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/Your PATH +lacks \/home\/alice\/.local\/bin/)
    expect(first.stdout.split('\n').filter(line => line.length > 80)).toEqual([])
    expect((await changed()).filter(path => !below('/home/alice/.local')(path))).toEqual([])
    const made = 'PATH=~/.local/bin:$PATH; ssh-keygen -qt ed25519 -N "" -f ca'
    const create = await asAlice(`${made} && pomerium-host-agent bundle create --serial 1 ca.pub`)
    await sh('rm /home/alice/ca*')
    expect(create).toMatchObject({ code: 0, stdout: expect.stringMatching(/^# serial: 1\n/) })

    await it.offer(await kit.make({ version: '99.0.0' }))
    expect((await asAlice(LINE)).stdout).toMatch(/upgraded.*to 99\.0\.0/)
    expect((await sh('ls /home/alice/.local/lib/pomerium-host-agent')).stdout).toBe('99.0.0\n')
    const kept = await asAlice(LINE)
    expect(kept).toMatchObject({ code: 0, stdout: expect.stringMatching(/kept +99\.0\.0/) })
    const off = /Take it off +((.|\n)*)$/.exec(kept.stdout)?.[1] ?? ''
    expect(await asAlice(off)).toMatchObject({ code: 0, stderr: '' })
    expect(await asAlice('find .local -type f -o -type l')).toMatchObject({ code: 0, stdout: '' })
  })

  test('as root, on a machine without sshd: the program and its link, and nothing else', async () => {
    await sh('mv /usr/sbin/sshd /usr/sbin/sshd.hidden')
    const { code, stderr } = await sh(LINE)
    await sh('mv /usr/sbin/sshd.hidden /usr/sbin/sshd')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const paths = (await changed()).filter(path => !below('/usr/local/lib/')(path))
    expect(paths).toEqual([LINK])
    expect(await sh('pomerium-host-agent bundle --help')).toMatchObject({ code: 0 })
    expect(await sh(`${LINE} --uninstall`)).toMatchObject({ code: 0, stderr: '' })
  })

  test('it becomes a host by the line for hosts, and where that fails the command stays', async () => {
    await sh(LINE)
    const alone = await census(it.host)
    const wrong = await it.install([...SOURCE, '--conflict', 'perhaps'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('sshd.conflict') })
    expect(difference(alone, await census(it.host))).toEqual([])
    expect(await sh('pomerium-host-agent --version')).toMatchObject({ code: 0 })

    const host = await it.install([...SOURCE, '--fingerprint', ca.fingerprint])
    expect(host).toMatchObject({ code: 0, stderr: '' })
    expect(host.stdout).toContain(`installed /usr/local/lib/pomerium-host-agent/${VERSION}`)
    expect(host.stdout).not.toContain('note:')
    expect((await login(it.host, { ca })).outcome).toBe('accepted')
    expect(await sh(LINE)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/kept.*this machine is a host/),
    })
    const off = await sh(`${LINE} --uninstall`)
    expect(off).toMatchObject({ code: 1, stderr: expect.stringContaining('a host too') })
    expect((await login(it.host, { ca })).outcome).toBe('accepted')
  })

  test.each([
    ['--source-url https://x/', /--source-url is for a host/],
    ['--resident', /--resident is for a host/],
    ['--accept-from 192.0.2.1', /--accept-from is for a host/],
    ['--exempt-from-penalties 192.0.2.1', /--exempt-from-penalties is for a host/],
  ])('%s with it is refused, and nothing is written', async (flag, says) => {
    const { code, stderr } = await sh(`${LINE} ${flag}`)
    expect(code).toBe(2)
    expect(stderr).toMatch(says)
  })
})

import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { VERSION } from '../../../installer/build.ts'
import { codeBlocks, readPage } from '../../docs/code-blocks.ts'
import { verifyByHand } from '../../release/by-hand.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { census, difference, touches } from '../harness/host-census.ts'
import { login } from '../harness/login.ts'
import { type BareHost, BEHIND_PROXY, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { poll } from '../hosts/installed-host.ts'
import { RELEASE_URL, type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const FORWARD_PROXY = join(import.meta.dirname, '../programs/forward-proxy.ts')
const LIB = '/usr/local/lib/pomerium-host-agent'
const LOCK = '/run/pomerium-host-agent-install.lock'
const PROXY = 'http://127.0.0.1:3128'

describeTier('other ways to install', machineTier(), () => {
  let kit: ReleaseKit
  let release: string
  let ca: Ca
  let it: BareHost
  let before: Map<string, string>
  beforeAll(async () => {
    ;[kit, ca] = await Promise.all([releaseKit(), makeCa()])
    release = await kit.make()
    it = await bootBareHost({ suite: 'bookworm', packages: ['wget'] })
    await it.offer(release)
    await it.publish(ca.publicKey)
    before = await census(it.host)
  })
  afterAll(async () => {
    for (const each of [it, kit, ca]) await each?.[Symbol.asyncDispose]()
  })
  const sh = (line: string, env: Record<string, string> = {}) =>
    it.host.exec(line, { allowFail: true, timeoutMs: 120_000, env })
  const flags = SOURCE.join(' ')
  const accepted = async () => (await login(it.host, { ca })).outcome === 'accepted'
  // Each ends as it began, so that the next one finds a bare host.
  afterEach(async () => {
    await sh('cd /usr/bin; for tool in curl wget; do mv $tool.hidden $tool; done 2>/dev/null')
    const off = await it.install(['--uninstall'])
    expect(off).toMatchObject({ code: 0, stderr: '' })
    expect(difference(before, await census(it.host))).toEqual([])
    await sh('systemctl reset-failed')
  })

  test('--dry-run checks all and changes nothing', async () => {
    const rest = async () => (await sh('ls -A /tmp /run')).stdout
    const looks = [await touches(it.host), await rest()] as const
    const { code, stdout, stderr } = await it.install([...SOURCE, '--dry-run'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/verified.*\n.*would.*install pomerium-host-agent-/)
    expect(difference(before, await census(it.host))).toEqual([])
    expect(difference(looks[0], await touches(it.host))).toEqual([])
    expect(await rest()).toBe(looks[1])
  })

  // The first and the last lines are the script's, between them is what `apply` prints.
  const narrow = (screen: string) => {
    const parts = screen.split('\n\n')
    const lines = `${parts.at(0)}\n${parts.at(-1)}`.split('\n')
    expect(lines.filter(line => line.length > 80)).toEqual([])
  }

  test('run again with other flags: in force, and it ends with what is trusted and apply’s code', async () => {
    const away = ['--source-url', 'https://localhost:9/bundle']
    for (const says of ['installed', 'kept', 'kept']) {
      const { code, stdout } = await it.install(away)
      expect({ says, code }).toEqual({ says, code: 3 })
      expect(stdout).toMatch(new RegExp(`^  ${says} +.*${VERSION}`, 'm'))
      expect(stdout).toContain('source-unavailable (unreachable)')
      expect(stdout).not.toContain('Try it')
      narrow(stdout)
    }
    expect(await accepted()).toBe(false)

    const mended = await it.install()
    expect(mended).toMatchObject({ code: 0, stderr: '' })
    expect(mended.stdout).toMatch(/^ {2}changed +\/etc\/pomerium\/host-agent.yaml$/m)
    const [trusts = '', tryIt] = mended.stdout.split('Try it')
    expect(trusts).toContain(ca.fingerprint)
    expect(tryIt).toContain('ssh you@')
    narrow(mended.stdout)
    expect(await accepted()).toBe(true)

    const lost = await it.install(away)
    expect(lost).toMatchObject({ code: 3, stderr: '' })
    const [, still] = lost.stdout.split('Still trusted, as before:\n')
    expect(still).toContain(ca.fingerprint)
    expect(lost.stdout).not.toContain('Try it')
    const refused = await it.install([...SOURCE, '--fingerprint', `SHA256:${'A'.repeat(43)}`])
    expect(refused).toMatchObject({ code: 4, stderr: '' })
    expect(refused.stdout).not.toContain('Try it')
    expect(await accepted()).toBe(true)
    const wrong = await it.install([...SOURCE, '--conflict', 'perhaps'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('sshd.conflict') })
  })

  test.each([
    ['curl, of a pipe', 'wget', `curl -fsS ${RELEASE_URL}/install.sh | sh -s --`],
    ['wget, of a pipe', 'curl', `wget -qO- ${RELEASE_URL}/install.sh | sh -s --`],
    ['a file with a blank in its path', '', "sh '/srv/a b/install.sh'"],
  ])('what takes it off is pasted as it stands: by %s', async (_, without, line) => {
    await sh(`mkdir '/srv/a b'; cd '/srv/a b'; curl -fsSo install.sh ${RELEASE_URL}/install.sh`)
    if (without) await sh(`mv /usr/bin/${without} /usr/bin/${without}.hidden`)
    const on = await sh(`cd '/srv/a b'; ${line} ${flags}`)
    const pasted = /Take it off +((.|\n)*)$/.exec(on.stdout)?.[1] ?? ''
    const off = await sh(pasted)
    await sh("rm -r '/srv/a b'")
    expect(on).toMatchObject({ code: 0, stderr: '' })
    narrow(on.stdout)
    expect(off).toMatchObject({ code: 0, stdout: expect.stringContaining('as it was found') })
    expect(await accepted()).toBe(false)
  })

  test.each(['curl', 'wget'])('%s: a server that stalls in a body is given up', async tool => {
    const impatient = `curl -fsS ${RELEASE_URL}/install.sh | sed 's/^STALL=.*/STALL=2/' >/srv/impatient.sh`
    await sh(impatient)
    if (tool === 'wget') await sh('mv /usr/bin/curl /usr/bin/curl.hidden')
    const archive = `pomerium-host-agent-${VERSION}-linux-x64.tar.gz`
    for (const file of ['SHA256SUMS', 'SHA256SUMS.sig', archive]) {
      const place = `${RELEASE_URL}/stalls-at/${file}`
      const looked = await touches(it.host)
      const { code, stderr } = await sh(`sh /srv/impatient.sh ${flags} --download-url ${place}`)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `install.sh: ${place}/${file} stalled, and was given up: run this again, or name another place by --download-url\n`,
      })
      expect(difference(looked, await touches(it.host))).toEqual([])
    }
    const interim = `sh /srv/impatient.sh ${flags} --dry-run --download-url ${RELEASE_URL}/interim`
    expect(await sh(interim)).toMatchObject({ code: 0, stderr: '' })
    await sh('rm /srv/impatient.sh')
  })

  test('a library that is not there, which the loader complains of at each start', async () => {
    await sh('echo /gone.so >/etc/ld.so.preload')
    const { code, stdout, stderr } = await it.install()
    const again = await it.install()
    await sh('rm /etc/ld.so.preload')
    expect(stderr.replace(/^ERROR: ld.so: .*\n/gm, '')).toBe('')
    expect({ code, again: again.code }).toEqual({ code: 0, again: 0 })
    expect(stdout).toContain('Try it')
    expect(await accepted()).toBe(true)
  })

  test('what would be said of a good end is not, where there is none', async () => {
    const wrong = ['--conflict', 'perhaps']
    const image = await it.install([...SOURCE, ...wrong, '--no-start'])
    expect(image).toMatchObject({ code: 2, stdout: expect.not.stringMatching(/installed|ready/) })
    expect(await it.install()).toMatchObject({ code: 0 })
    const sum = `${LIB}/${VERSION}/archive.sha256`
    await sh(`mv ${sum} /srv/sum; echo other >${sum}`)
    const other = await it.install()
    await sh(`mv /srv/sum ${sum}`)
    expect(other).toMatchObject({ code: 1, stdout: expect.not.stringContaining('kept') })
    expect(other.stderr).toMatch(/another build of .* is installed; --uninstall it first/)

    // What `status` finds wrong is shown in the place of "Try it".
    await sh('systemctl stop ssh')
    const down = await it.install()
    await sh('systemctl start ssh')
    expect(down).toMatchObject({ code: 0, stdout: expect.stringContaining('\nsshd-down: sshd is') })
    expect(down.stdout).not.toContain('Try it')
    expect((await it.install()).stdout).toContain('Try it')
  })

  test('in a working directory that was deleted', async () => {
    const gone = 'mkdir /srv/gone; cd /srv/gone; rmdir /srv/gone'
    const line = `${gone}; curl -fsS ${RELEASE_URL}/install.sh | sh -s -- ${flags}`
    for (const run of ['installed', 'kept']) {
      const { code, stdout, stderr } = await sh(line)
      expect({ run, code, stderr: stderr.replace(/^.*getcwd.*\n/gm, '') }).toMatchObject({
        ...{ run, code: 0, stderr: '' },
      })
      expect(stdout).toContain('Try it')
    }
    expect(await accepted()).toBe(true)
    for (const command of ['apply', 'plan', 'status', 'configure']) {
      expect(await sh(`${gone}; pomerium-host-agent ${command}`), command).toMatchObject({
        code: 0,
      })
    }
  })

  test('piped, it reads nothing of the pipe; a second one beside it says one line', async () => {
    // Whatever reads the pipe at any moment of the run takes a line away from the last cat.
    const pipe = `{ curl -fsS ${RELEASE_URL}/install.sh
      n=0; until [ -e /tmp/over ]; do n=$((n + 1)); echo "rest $n"; sleep 0.05; done
    } | { sh -s -- ${flags}; echo "code $?"; : >/tmp/over; cat; }`
    const piped = it.host.spawn(pipe)
    await it.host.waitFor('the lock', () => it.host.exists(LOCK))
    const second = await it.install()
    const { stdout } = await piped.done
    await sh('rm /tmp/over')
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr).toMatch(/^install.sh: another install.sh is at work on this host.*\n$/)
    expect(stdout).toContain('code 0')
    expect(it.host.exists(LOCK)).toBe(false)
    const left = stdout.split('\n').filter(line => line.startsWith('rest '))
    // dash takes a block at a time: what stands in its first ones is the shell's own.
    const first = Number(left[0]?.slice(5))
    expect(left.length).toBeGreaterThan(5)
    expect(left).toEqual(left.map((_, index) => `rest ${first + index}`))
    expect(await accepted()).toBe(true)
  })

  // As a reader copies it, but for the addresses, which are examples there.
  const readmes = () => {
    const [line, ...more] = codeBlocks(readPage('README.md'))
      .map(({ text }) => text)
      .filter(text => text.includes('/install.sh | sudo sh'))
    expect(more).toEqual([])
    return (line ?? '')
      .replace('https://downloads.example.com', RELEASE_URL)
      .replace('--source-url https://ssh-ca.example.com/bundle', flags)
      .replace('sudo ', '')
      .trim()
  }

  test('the README’s line, of a release that knows where it lies, and of one that asks', async () => {
    expect(await sh(readmes())).toMatchObject({ code: 0, stderr: '' })
    expect(await accepted()).toBe(true)
    expect(await it.install(['--uninstall'])).toMatchObject({ code: 0 })
    await it.offer(await kit.make({ placeless: true }))
    expect(await sh(readmes())).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('say --download-url'),
    })
    expect(difference(before, await census(it.host))).toEqual([])
    const told = await sh(`${readmes()} --download-url ${RELEASE_URL}`)
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(await accepted()).toBe(true)
    await it.offer(release)
  })

  test('from files beside it, with nothing that could fetch', async () => {
    await execa('cp', ['-r', release, it.host.path('/srv/release')])
    await it.host.write('/srv/ca.pub', `${ca.publicKey}\n`)
    await sh('for tool in curl wget; do mv /usr/bin/$tool /usr/bin/$tool.hidden; done')
    const source = '--source-url file:///srv/ca.pub'
    const first = await sh(`sh /srv/release/install.sh ${source}`)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(await accepted()).toBe(true)
    const again = await sh(`cd /srv/release && ./install.sh ${source}`)
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('unchanged: all') })
    const off = await sh('cd /srv/release && sh install.sh --uninstall')
    expect(off).toMatchObject({ code: 0, stderr: '' })
    await sh('rm -r /srv/release /srv/ca.pub')
  })

  test('a script that was verified by hand, as docs/security.md has it', async () => {
    const steps = verifyByHand(RELEASE_URL, kit.signer.fingerprint, SOURCE)
    const { fetch, compare, verify, install } = steps
    const lines = ['mkdir /srv/by-hand', 'cd /srv/by-hand', fetch, compare, verify, install]
    const { code, stdout, stderr } = await sh(`set -e\n${lines.join('\n')}`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/Good "file" signature for release(.|\n)*install.sh: OK(.|\n)*Try it/)
    expect(await accepted()).toBe(true)
    await sh('rm -r /srv/by-hand')
  })

  test('by wget alone, and through a proxy where one is set, at the next poll too', async () => {
    await it.host.exec('mkdir /run/proxy')
    const log = it.host.path('/run/proxy/log')
    it.host.inNetwork([process.execPath, FORWARD_PROXY, '3128', log])
    await it.host.waitFor('the proxy', async () => {
      return (await it.host.exec('ss -Hltn sport = :3128')).stdout !== ''
    })
    const asked = async () => (await it.host.read('/run/proxy/log')).trim().split('\n')
    const proxies = { http_proxy: PROXY, https_proxy: PROXY }
    // A name that nobody resolves but the proxy.
    const elsewhere = '--download-url http://releases.example'
    const byCurl = await sh(
      `curl -fsS http://releases.example/install.sh | sh -s -- ${flags} ${elsewhere} --dry-run`,
      proxies,
    )
    expect(byCurl).toMatchObject({ code: 0, stderr: '' })
    expect(await asked()).toContain('GET http://releases.example/SHA256SUMS.sig')

    const secure = '--download-url https://releases.example:1'
    const tunnelled = await sh(
      `curl -fsS ${RELEASE_URL}/install.sh | sh -s -- ${flags} ${secure} --dry-run`,
      { ...proxies, no_proxy: '127.0.0.1' },
    )
    expect(tunnelled.stderr).toContain('https://releases.example:1/SHA256SUMS could not be fetched')
    expect(await asked()).toContain('CONNECT releases.example:1')

    await sh('mv /usr/bin/curl /usr/bin/curl.hidden')
    const byWget = await sh(
      `wget -qO- http://releases.example/install.sh | sh -s -- ${BEHIND_PROXY.join(' ')} ${elsewhere}`,
      { ...proxies, no_proxy: 'localhost' },
    )
    expect(byWget).toMatchObject({ code: 0, stderr: '' })
    expect(await asked()).toContain(
      `GET http://releases.example/pomerium-host-agent-${VERSION}-linux-x64.tar.gz`,
    )
    expect(await accepted()).toBe(true)

    const tunnels = async () =>
      (await asked()).filter(line => line === 'CONNECT ssh-ca.example:8443').length
    const byHand = await tunnels()
    await poll(it)
    expect(await tunnels()).toBeGreaterThan(byHand)
    const secret = { https_proxy: 'http://me:secret@127.0.0.1:3128' }
    const refused = await sh('pomerium-host-agent configure', secret)
    expect(refused.stdout).toContain('note: the services are not given the proxy of this shell')
    // afterEach fetches install.sh by curl, without a proxy.
  })

  test('without Node inside, on a host of another kind that has Node 24', async () => {
    await it.host.write(
      '/srv/stubs/uname',
      '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n',
      {
        mode: 0o755,
      },
    )
    await it.offer(await kit.make({ noarch: true }))
    const line = `curl -fsS ${RELEASE_URL}/install.sh | PATH=/srv/stubs:$PATH sh -s -- ${flags}`
    expect((await sh(line)).stderr).toMatch(/no release for riscv64; a host with Node 24 or newer/)
    const node = join(inject('productLayer'), LIB, VERSION, 'node')
    await execa('cp', ['--reflink=auto', node, it.host.path('/usr/local/bin/node')])
    expect(await sh(line)).toMatchObject({ code: 0, stderr: '' })
    expect(await accepted()).toBe(true)
    expect(it.host.exists(`${LIB}/${VERSION}/node`)).toBe(false)
    // Both wings, as their units confine them.
    const units = 'pomerium-host-agent-repair.service pomerium-host-agent.service'
    expect(await sh(`systemctl start ${units}`)).toMatchObject({ code: 0 })
    expect(await it.install(['--uninstall'])).toMatchObject({ code: 0, stderr: '' })
    await sh('rm -r /usr/local/bin/node /srv/stubs')
    await it.offer(release)
  })

  test('--uninstall where the services can’t be stopped or the program is broken says what to do', async () => {
    expect(await it.install()).toMatchObject({ code: 0 })
    await sh('mv /usr/bin/systemctl /usr/bin/systemctl.hidden')
    await it.host.write('/usr/bin/systemctl', '#!/bin/sh\nexit 1\n', { mode: 0o755 })
    const stuck = await it.install(['--uninstall'])
    await sh('mv /usr/bin/systemctl.hidden /usr/bin/systemctl')
    expect(stuck, stuck.stderr).toMatchObject({ code: 5 })
    expect(stuck.stdout).not.toContain('removed')
    expect(stuck.stderr).toMatch(/systemctl(.|\n)*mend that and run this again/)
    expect(await accepted()).toBe(true)

    for (const loss of [`${LIB}/${VERSION}/node`, `${LIB}/${VERSION}`, LIB]) {
      await sh(`rm -r ${loss}`)
      const gone = await it.install(['--uninstall'])
      expect(gone).toMatchObject({ code: 1, stdout: '' })
      expect(gone.stderr).toMatch(
        /^install.sh: the program in .* is broken or gone: run install.sh .*\n$/,
      )
      expect(await it.install(), loss).toMatchObject({ code: 0, stderr: '' })
    }
    expect(await accepted()).toBe(true)
  })
})

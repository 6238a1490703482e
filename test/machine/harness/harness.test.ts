import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { REASONS_OF_A_RESTART, sshdProbe } from '../probe/sshd-probe.ts'
import { machineTier } from './available.ts'
import { ensureBase } from './base.ts'
import { bootHost, type Host } from './host.ts'
import { addAddress, login, openSession } from './login.ts'
import { suitesFor } from './share.ts'

const caFile = '/etc/ssh/user_ca.pub'
const dropIn = '/etc/ssh/sshd_config.d/user-ca.conf'

describeTier('a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bookworm'] }))('%s', suite => {
    let host: Host
    let ca: Ca
    let bootMs: number

    beforeAll(async () => {
      await ensureBase(suite)
      ca = await makeCa()
      const start = performance.now()
      host = await bootHost({
        suite,
        prepare: async files => {
          await files.write(caFile, `${ca.publicKey}\n`, { mode: 0o600 })
          await files.write(dropIn, `TrustedUserCAKeys ${caFile}\n`, { mode: 0o600 })
        },
      })
      bootMs = performance.now() - start
    })
    afterAll(async () => {
      await host?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    test('is up within seconds, with systemd and sshd', async () => {
      expect(bootMs).toBeLessThan(10_000)
      const state = await host.unitProperties('ssh.service', ['ActiveState', 'FragmentPath'])
      expect(state.ActiveState).toBe('active')
      expect(state.FragmentPath).toMatch(/lib\/systemd\/system\/ssh\.service$/)
      expect((await host.exec('systemctl --failed --no-legend')).stdout).toBe('')
      expect((await host.exec(['hostname'])).stdout.trim()).toBe(host.name)
      expect(await host.journal('ssh.service')).toContain('Server listening')
    })

    test.each(['alice', 'root'])(
      'lets %s in with a certificate, and nobody with another',
      async user => {
        const inside = await login(host, { ca, user, command: 'id -un; exit 3' })
        expect(inside).toMatchObject({ outcome: 'accepted', code: 3, stdout: user })
        await using other = await makeCa()
        expect(await login(host, { ca: other, user })).toMatchObject({ outcome: 'refused' })
        const certificate = await ca.issue({ principals: ['somebody'] })
        expect(await login(host, { certificate, user })).toMatchObject({ outcome: 'refused' })
        expect(await login(host, { ca, user, port: 23 })).toMatchObject({ outcome: 'unreachable' })
      },
    )

    test('sees logins come from the address that was asked for', async () => {
      await addAddress(host, '203.0.113.7')
      const { stdout } = await login(host, { ca, from: '203.0.113.7', command: 'echo $SSH_CLIENT' })
      expect(stdout).toMatch(/^203\.0\.113\.7 /)
    })

    test('keeps a session through a restart, which the probe sees', async () => {
      await using session = await openSession(host, { ca })
      const probe = await sshdProbe(host, 50)
      await host.exec('systemctl stop ssh; sleep 0.3; systemctl start ssh')
      await session.echo('still here')
      await host.waitFor('sshd', async () => (await login(host, { ca })).ok)
      const { attempts, failures, gaps, longestGapMs } = await probe.stop()
      expect(attempts).toBeGreaterThan(15)
      const reasons = new Set(failures.map(({ reason }) => reason))
      expect(reasons).toContain('ECONNREFUSED')
      expect([...reasons].filter(reason => !REASONS_OF_A_RESTART.has(reason))).toEqual([])
      expect(gaps).toBe(1)
      expect(longestGapMs).toBeGreaterThan(250)
      expect(longestGapMs).toBeLessThan(2_000)
    })

    test('is not shut out by its own probe', async () => {
      const probe = await sshdProbe(host, 50)
      await new Promise(resolve => setTimeout(resolve, 2_000))
      expect(await probe.stop()).toMatchObject({ failures: [], gaps: 0, longestGapMs: 0 })
    })

    test('runs commands with a clean environment, and throws with their output', async () => {
      process.env.OUTSIDE = 'leaks'
      const { stdout } = await host.exec('id -un; echo $OUTSIDE$INSIDE; cat', {
        user: 'alice',
        env: { INSIDE: 'given' },
        input: 'and fed',
      })
      expect(stdout).toBe('alice\ngiven\nand fed')
      await expect(host.exec('echo out; echo err >&2; exit 4')).rejects.toThrow(/4\nout\nerr/)
      await expect(host.exec(['sleep', '987'], { timeoutMs: 200 })).rejects.toThrow(/timed out/)
      expect((await host.exec(['pgrep', '-f', 'sleep 987'], { allowFail: true })).stdout).toBe('')
    })

    test('leaves commands running, inside and in its network only', async () => {
      const cat = host.spawn(['cat'])
      cat.stdin.end('through')
      expect(await cat.done).toEqual({ code: 0, stdout: 'through', stderr: '' })
      const listen = `require('net').createServer(s => s.end('SSH-2.0-fake\\n')).listen(2222)`
      host.inNetwork([process.execPath, '-e', listen])
      await host.waitFor('the listener', async () => {
        return (await host.exec('ss -Hltn sport = :2222')).stdout !== ''
      })
      await (await sshdProbe(host, 10, 2222)).stop()
    })

    test('shows its files as they are', async () => {
      const before = await host.snapshot('/etc/ssh')
      expect(before['user_ca.pub']).toMatchObject({ type: 'file', mode: '0600', uid: 0, gid: 0 })
      expect(await host.read(caFile)).toBe(`${ca.publicKey}\n`)
      const { ino, mtimeNs } = await host.stat(caFile)
      await host.exec(`cp -p ${caFile} /tmp/new && mv /tmp/new ${caFile}`)
      expect(await host.snapshot('/etc/ssh')).toEqual(before)
      expect(await host.stat(caFile)).toMatchObject({ mtimeNs, mode: '0600' })
      expect((await host.stat(caFile)).ino).not.toBe(ino)
      await host.exec(`chmod 644 ${caFile}; ln -s /etc/hostname /etc/ssh/link`)
      expect(await host.snapshot('/etc/ssh')).toEqual({
        ...before,
        'user_ca.pub': { ...before['user_ca.pub'], mode: '0644' },
        link: { type: 'link', mode: '0777', uid: 0, gid: 0, target: '/etc/hostname' },
      })
      // Both ends of the link lie in the host, not outside.
      await host.write('/etc/hostname', 'inside\n')
      expect(await host.read('/etc/ssh/link')).toBe('inside\n')
      expect(host.exists('/var/run/sshd.pid')).toBe(true)
      expect(host.exists('/nowhere')).toBe(false)
    })

    test('boots again from the same disk after a power cut', async () => {
      const { pid } = host
      await host.write('/root/kept', 'yes')
      await host.reboot()
      expect(host.pid).not.toBe(pid)
      expect(await host.read('/root/kept')).toBe('yes')
      await host.waitFor('a login', async () => (await login(host, { ca })).ok)
    })

    test('leaves nothing behind', async () => {
      const { name } = host
      await host.stop()
      await host.stop()
      expect(readFileSync('/proc/mounts', 'utf8')).not.toContain('/run/tree')
      expect(traces(name)).toEqual([])
      expect(
        execFileSync('find', ['/sys/fs/cgroup', '-ignore_readdir_race', '-name', name], {
          encoding: 'utf8',
        }),
      ).toBe('')
    })
  })
})

function traces(name: string): string[] {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(name)
    } catch {
      return false
    }
  })
}

// The child of apply that fetches, as somebody who has taken it over finds himself: a probe in its place.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { type AgentHost, bootAgentHost } from '../hosts/agent-host.ts'
import { bundleProgram, NODE } from '../hosts/provisioner-host.ts'

const PROGRAM = '/opt/fetch-program.mjs'
const TYPED = 'touch /tmp/owned'

// Types a line into every terminal that it can get at; perl is on every Debian.
const TYPE = `
  opendir(my $dir, '/dev/pts'); my @terminals = map { "/dev/pts/$_" } grep { /^\\d+$/ } readdir $dir;
  my @handles;
  for my $fd (0 .. 255) { if (open(my $h, '+<&=', $fd)) { push @handles, $h } }
  for my $path ('/dev/tty', '/dev/console', @terminals) {
    if (open(my $h, '+<', $path)) { push @handles, $h; print "opened $path\\n" }
    elsif (open(my $w, '>', $path)) { push @handles, $w; print "opened $path\\n" }
  }
  for my $h (@handles) { for my $c (split //, "${TYPED}\\n") { ioctl($h, 0x5412, $c) } }
`
// In files, since a pipe to read from would be one more descriptor of the shell's own.
const PROBE = `
  report=/tmp/probe.$$
  ls -l /proc/self/fd >$report.fd
  cat /proc/$$/stat >$report.stat
  cat /proc/$$/status >$report.status
  perl -e "$TYPE" >$report.opened 2>&1
  env >$report.env
  printf '\\033[2Jloud \\r\\n' >&2
  cat $report.* >$report
  printf '{"kind":"bundle","bytes":"%s"}' "$(base64 -w0 <$report)"
`

const LITTLE = `#!/bin/sh
[ "$1" = --no-new-privs ] || exit 1
case $2 in -*) exit 1 ;; esac
exec /opt/setpriv "$@"
`

describeTier('the child that fetches', machineTier(), () => {
  describe.each(suitesFor({ slice: ['bullseye'] }))('%s', suite => {
    let it: AgentHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootAgentHost({ suite })
      await it.host.write(PROGRAM, await bundleProgram('fetch-program.ts'))
      await it.host.write('/srv/secret', 'a secret of root\n', { mode: 0o600 })
      await it.host.write('/srv/bundle', `${ca.publicKey}\n`, { mode: 0o600 })
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    const command = (child: string) => {
      const argv = JSON.stringify(['sh', '-c', child])
      return [NODE, PROGRAM, 'file:///srv/bundle', argv]
    }
    const program = (child: string) =>
      command(child)
        .map(word => `'${word.replaceAll("'", `'\\''`)}'`)
        .join(' ')
    /** On a terminal of root's own, where what is typed is read as the next line. */
    const onTerminal = async (line: string) => {
      const typed = 'typed=; read -r -t 1 typed; echo "typed=$typed"'
      await it.host.write('/root/session.sh', `${line}\n${typed}\n`)
      const running = it.host.spawn(
        ['script', '--quiet', '--return', '--command', 'bash /root/session.sh', '/dev/null'],
        { env: { TYPE, SECRET: 'of root' } },
      )
      const { stdout } = await running.done
      return stdout.replaceAll('\r', '')
    }
    const inherited = 'exec 9</srv/secret 20</srv/secret 100</srv/secret'
    const probed = (stdout: string) => {
      const line = stdout.split('\n').find(each => each.startsWith('{')) ?? '{}'
      return (JSON.parse(line) as { text: string }).text
    }

    test('the probe works: as root it types into root’s terminal', async () => {
      const allowed = await it.host.exec('cat /proc/sys/dev/tty/legacy_tiocsti', {
        allowFail: true,
      })
      const said = await onTerminal('perl -e "$TYPE"')
      // Where the kernel forbids it to all (from 6.2), there is nothing to show.
      if (allowed.stdout.trim() !== '0') expect(said).toContain(`typed=${TYPED}`)
    })

    test('it has no terminal, no descriptor, no privilege and no secret of root’s', async () => {
      const said = await onTerminal(`${inherited}\n${program(PROBE)}`)
      const report = probed(said)
      const descriptors = [...report.matchAll(/ (\d+) -> (\S+)/g)].map(([, fd, to]) => [fd, to])
      const ofProbe = /^(\/tmp\/probe\.|\/proc\/)/
      expect(descriptors.filter(([, to = '']) => !ofProbe.test(to))).toEqual([
        ['0', expect.stringMatching(/^(socket|pipe):/)],
        ['2', expect.stringMatching(/^(socket|pipe):/)],
        ['3', '/srv/bundle'],
      ])
      const [, parent, group, session, terminal] =
        /^\d+ \(sh\) \S (\d+) (\d+) (\d+) (-?\d+)/m.exec(report) ?? []
      expect({ session, terminal }).toEqual({ session: group, terminal: '0' })
      expect(session).not.toBe(parent)
      const status = (name: string) =>
        new RegExp(`^${name}:[ \t]*(.*?)[ \t]*$`, 'm').exec(report)?.[1]
      expect(status('Uid')).toMatch(/^(\d+)\t\1\t\1\t\1$/)
      expect(status('Uid')).not.toMatch(/^0/)
      expect(status('Gid')).not.toMatch(/\b0\b/)
      expect(status('Groups')).toBe('')
      expect(status('NoNewPrivs')).toBe('1')
      for (const name of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) {
        expect(status(`Cap${name}`), name).toBe('0000000000000000')
      }
      expect(report).not.toMatch(/^opened/m)
      expect(report).not.toContain('SECRET')
      // Nothing that it says moves a cursor, and nothing that it types is read.
      expect(said).toContain('fetch: [2Jloud\n')
      expect(said).not.toContain('\u001b')
      expect(said).toContain('typed=\n')
    })

    // As busybox has it, and not at all.
    test.each([
      ['can do little', LITTLE, '1'],
      ['is not there', '#!/nowhere\n', '0'],
    ])('where setpriv %s, the wall stands all the same', async (_, setpriv, noNewPrivileges) => {
      await it.host.write('/opt/little', setpriv, { mode: 0o755 })
      await it.host.exec('cp /usr/bin/setpriv /opt/setpriv')
      await it.host.write(
        '/root/little.sh',
        `mount --bind /opt/little /usr/bin/setpriv\n${program(PROBE)}\n`,
      )
      const said = await onTerminal(`${inherited}\nunshare --mount sh /root/little.sh`)
      const report = probed(said)
      expect(report).toMatch(/^Uid:\t(\d+)\t\1\t\1\t\1$/m)
      expect(report).not.toMatch(/^Uid:\t0/m)
      expect(report).toMatch(/^Groups:\s*$/m)
      expect(report).toMatch(/^CapEff:\t0+$/m)
      expect(report).toContain(`NoNewPrivs:\t${noNewPrivileges}\n`)
      expect(report).toMatch(/^\d+ \(sh\) \S \d+ (\d+) \1 0 /m)
      expect(report).not.toMatch(/^opened| -> \/srv\/secret/m)
      expect(said).toContain('typed=\n')
    })

    test('it goes when apply is killed', async () => {
      const running = it.host.spawn(command('echo $$ >/tmp/child; exec sleep 1000'))
      await it.host.waitFor('the child', () => it.host.exists('/tmp/child'))
      const pid = String(await it.host.read('/tmp/child')).trim()
      running.kill()
      await running.done
      await it.host.waitFor('it to go', () => !it.host.exists(`/proc/${pid}`))
    })

    test('one that can’t even start is a source that gave nothing', async () => {
      await it.publish(ca.publicKey)
      const folder = '/usr/local/lib/pomerium-host-agent'
      await it.host.exec(`chmod 700 ${folder}`)
      const { code, outcome, stderr } = await it.apply()
      await it.host.exec(`chmod 755 ${folder}`)
      expect({ code, said: outcome.code }).toEqual({ code: 3, said: 'fetch-failed' })
      expect(stderr).toMatch(/^fetch: /)
      expect((await it.apply()).code).toBe(0)
    })
  })
})

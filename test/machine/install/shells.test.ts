import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { difference, touches } from '../harness/host-census.ts'
import { type BareHost, bootBareHost, SOURCE } from '../hosts/bare-host.ts'
import { type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const SHELLS = ['dash', 'bash', 'busybox sh', 'mksh', 'ksh93', 'yash', 'posh']
const PACKAGES = ['busybox-static', 'mksh', 'ksh93u+m', 'yash', 'posh', 'xz-utils']
const SCRIPT = '/srv/install.sh'
// Ranges by the environment and by flags, several times and separated by commas.
const EXEMPT = 'POMERIUM_HOST_AGENT_EXEMPT_FROM_PENALTIES=127.0.0.1'
const FROM = [
  ...['--accept-from', '127.0.0.0/8', '--accept-from=192.0.2.1,2001:db8::/32'],
  ...['--exempt-from-penalties', '127.0.0.2'],
]

const BOTH: ['gz', 'xz'] = ['gz', 'xz']

describeTier('install.sh, under every shell', machineTier(), () => {
  let kit: ReleaseKit
  let ca: Ca
  let it: BareHost
  let untouched: Map<string, string>
  beforeAll(async () => {
    ;[kit, ca] = await Promise.all([releaseKit(), makeCa()])
    it = await bootBareHost({ suite: 'bookworm', packages: PACKAGES })
    await it.offer(await kit.make({ compressions: BOTH }))
    await it.publish(ca.publicKey)
    await it.host.exec(`curl -fsSo ${SCRIPT} http://127.0.0.1:8080/install.sh`)
    untouched = await touches(it.host)
  })
  afterAll(async () => {
    for (const each of [it, kit, ca]) await each?.[Symbol.asyncDispose]()
  })
  const sh = (line: string) => it.host.exec(line, { allowFail: true, timeoutMs: 120_000 })

  test.each(SHELLS)(
    '%s: cut off at every hundredth, and at the last bytes, it does nothing',
    async shell => {
      const before = await touches(it.host)
      const cut = `size=$(stat -c %s ${SCRIPT})
      for at in $(seq 1 99); do head -c $((size * at / 100)) ${SCRIPT} >/tmp/cut; ${shell} /tmp/cut --source-url https://x; done
      for at in $(seq 2 40); do head -c $((size - at)) ${SCRIPT} >/tmp/cut; ${shell} /tmp/cut --source-url https://x; done`
      const { stdout, stderr } = await sh(cut)
      expect(stdout).toBe('')
      expect(stderr).not.toContain('install.sh:')
      expect(difference(before, await touches(it.host))).toEqual([])
    },
  )

  // posh crashes there, whatever it is to run.
  const others = SHELLS.filter(shell => shell !== 'posh')
  test.each(others)('%s: in a working directory that was deleted', async shell => {
    const gone = 'mkdir /srv/gone; cd /srv/gone; rmdir /srv/gone'
    const run = `${gone}; ${shell} ${SCRIPT} --dry-run --source-url https://x/`
    expect(await sh(run)).toMatchObject({ code: 0, stdout: expect.stringContaining('would') })
  })

  test('by busybox’s wget, which has no time limit of its own', async () => {
    await sh(`rm -rf /stubs; mkdir /stubs; cd /stubs
      for each in $(ls /bin /usr/bin /usr/sbin); do ln -sf $(command -v $each); done
      rm -f curl wget; ln -s $(command -v busybox) wget
      sed 's/^STALL=.*/STALL=1/; s/STALL [*] 30/STALL * 3/' ${SCRIPT} >/srv/impatient.sh`)
    const run = (place: string) =>
      sh(
        `PATH=/stubs sh /srv/impatient.sh --dry-run --source-url https://x/ --download-url ${place}`,
      )
    expect(await run('http://127.0.0.1:8080')).toMatchObject({ code: 0, stderr: '' })
    const { code, stderr } = await run('http://127.0.0.1:8080/stalls-at/SHA256SUMS.sig')
    await sh('rm -r /stubs /srv/impatient.sh')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^install.sh: .*SHA256SUMS.sig stalled, and was given up: .*\n$/)
  })

  test('without install.sh’s last byte, a line feed, it is whole', async () => {
    const { stdout } = await sh(`head -c -1 ${SCRIPT} | sh -s -- --dry-run --source-url https://x/`)
    expect(stdout).toContain('would')
  })

  describe('refuses in one line, before anything is written', () => {
    beforeEach(() => sh('rm -rf /stubs; mkdir /stubs'))
    const stub = (name: string, body: string) =>
      it.host.write(`/stubs/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    const stubbed = `PATH=/stubs:$PATH sh ${SCRIPT} --source-url https://localhost/x`
    const plain = `sh ${SCRIPT} --source-url https://localhost/x`

    const beside = (lay: string, then: string) =>
      `unshare --mount sh -c 'mount -t tmpfs none /usr/local/bin; LINK=/usr/local/bin/pomerium-host-agent; ${lay}; ${then}'`

    test.each<[why: string, says: RegExp, line: string, prepare?: () => Promise<unknown>]>([
      ['not root', /needs root: .*sudo/, `setpriv --reuid alice ${plain}`],
      ['another system', /FreeBSD/, stubbed, () => stub('uname', 'echo FreeBSD')],
      [
        'another processor',
        /no release for riscv64; a host with Node 24/,
        stubbed,
        () => stub('uname', '[ "$1" = -m ] && echo riscv64 || echo Linux'),
      ],
      [
        'musl',
        /no glibc/,
        'mkdir -p /srv/musl/bin /srv/musl/dev; : >/srv/musl/dev/null; cp /bin/busybox /srv/musl/bin; chroot /srv/musl /bin/busybox --install /bin' +
          `; cp ${SCRIPT} /srv/musl; chroot /srv/musl /bin/sh /install.sh --source-url https://x; code=$?; rm -r /srv/musl; exit $code`,
      ],
      [
        'musl with Node 24: not for that',
        /ssh-keygen is needed/,
        'mkdir -p /srv/musl/bin /srv/musl/dev /srv/musl/usr/local/bin; : >/srv/musl/dev/null; cp /bin/busybox /srv/musl/bin; chroot /srv/musl /bin/busybox --install /bin' +
          '; printf "#!/bin/sh\\necho 24\\n" >/srv/musl/usr/local/bin/node; chmod +x /srv/musl/usr/local/bin/node' +
          `; cp ${SCRIPT} /srv/musl; chroot /srv/musl /bin/sh /install.sh --source-url https://x; code=$?; rm -r /srv/musl; exit $code`,
      ],
      [
        'no space',
        /\/usr\/local\/lib\/pomerium-host-agent needs 200 MB free and has 50 MB/,
        `unshare --mount sh -c 'mount -t tmpfs -o size=50m none /usr/local/lib; ${plain}'`,
      ],
      [
        'no tar',
        /tar is needed/,
        `for each in $(ls /bin /usr/bin /usr/sbin); do ln -sf $(command -v $each) /stubs/$each 2>/dev/null; done; rm /stubs/tar; PATH=/stubs ${plain}`,
      ],
      [
        'no sshd',
        /no sshd on this host; install openssh-server/,
        `: >/srv/empty; unshare --mount sh -c 'mount --bind /srv/empty /usr/sbin/sshd; ${plain}'`,
      ],
      [
        'an ssh-keygen that can’t verify',
        /OpenSSH 8.1 or newer/,
        stubbed,
        () => stub('ssh-keygen', 'echo "unknown option -- Y" >&2; exit 1'),
      ],
      ['no source', /--source-url/, `sh ${SCRIPT}`],
      ['an unknown flag', /no flag --sauce-url/, `sh ${SCRIPT} --sauce-url x`],
      ['a flag without its value', /--source-url wants a value/, `sh ${SCRIPT} --source-url`],
      [
        'a flag whose value was forgotten',
        /--source-url wants a value/,
        `sh ${SCRIPT} --source-url --dry-run`,
      ],
      ['an empty flag', /--signers-file wants a value/, `${plain} --signers-file ''`],
      ['an empty flag, with =', /--fingerprint wants a value/, `${plain} --fingerprint=`],
      [
        'a second flag that is empty',
        /--fingerprint wants a value/,
        `${plain} --fingerprint SHA256:x --fingerprint ''`,
      ],
      [
        'an empty signers file in the environment',
        /POMERIUM_HOST_AGENT_SIGNERS_FILE is set to nothing/,
        `POMERIUM_HOST_AGENT_SIGNERS_FILE= ${plain}`,
      ],
      [
        'an empty fingerprint in the environment, whatever the flags say',
        /POMERIUM_HOST_AGENT_FINGERPRINT is set to nothing/,
        `POMERIUM_HOST_AGENT_FINGERPRINT= ${plain} --fingerprint SHA256:x`,
      ],
      ['an empty range', /--accept-from wants a value/, `${plain} --accept-from ''`],
      [
        'an empty range in the environment, which would trust from anywhere',
        /POMERIUM_HOST_AGENT_ACCEPT_FROM is set to nothing/,
        `POMERIUM_HOST_AGENT_ACCEPT_FROM= ${plain}`,
      ],
      [
        'an empty exemption in the environment',
        /POMERIUM_HOST_AGENT_EXEMPT_FROM_PENALTIES is set to nothing/,
        `POMERIUM_HOST_AGENT_EXEMPT_FROM_PENALTIES= ${plain}`,
      ],
      ...['RESIDENT', 'NO_START', 'OPERATOR', 'DRY_RUN', 'UNINSTALL'].map(
        (name): [string, RegExp, string] => [
          `${name}=no, which might be yes`,
          new RegExp(`POMERIUM_HOST_AGENT_${name} is neither 1 for yes nor 0 for no$`),
          `POMERIUM_HOST_AGENT_${name}=no ${plain}`,
        ],
      ),
      [
        'UNINSTALL=0, and no source',
        /--source-url/,
        `POMERIUM_HOST_AGENT_UNINSTALL=0 sh ${SCRIPT}`,
      ],
      [
        'a folder for the signers file',
        /--signers-file names a folder, and wants a file: \/etc$/,
        `${plain} --signers-file /etc`,
      ],
      [
        'a signers file that is not there',
        /--signers-file names a file that is not there: \/etc\/nope$/,
        `POMERIUM_HOST_AGENT_SIGNERS_FILE=/etc/nope ${plain}`,
      ],
      ['a TMPDIR that is not there', /no folder \/nope/, `TMPDIR=/nope timeout 20 ${plain}`],
      ['a TMPDIR that is no path', /no folder nope/, `TMPDIR=nope timeout 20 ${plain}`],
      ['a link of somebody else’s', /not ours/, beside('ln -s /bin/true $LINK', plain)],
      [
        'a link of somebody else’s, to take off',
        /not ours/,
        beside('ln -s /bin/true $LINK', `sh ${SCRIPT} --uninstall`),
      ],
      [
        'a release that is not there',
        /could not be fetched/,
        `${plain} --download-url http://127.0.0.1:8080/no/such --version 9.9.9 --download-url http://127.0.0.1:9`,
      ],
      [
        'a place with a password, which is not printed',
        /^install.sh: http:\/\/127.0.0.1:9\/SHA256SUMS could not be fetched: curl: \(7\) [^@]*$/,
        `${plain} --download-url http://me:secret@127.0.0.1:9/`,
      ],
    ])('%s', async (_, says, line, prepare) => {
      await prepare?.()
      const before = await touches(it.host)
      const { code, stderr } = await sh(line)
      expect(code).not.toBe(0)
      const lines = stderr.trimEnd().split('\n')
      expect(lines).toEqual([expect.stringMatching(says)])
      expect(difference(before, await touches(it.host))).toEqual([])
    })
  })

  test('every shell says and does the same', async () => {
    const [first, ...others] = await inTurn(SHELLS, async shell => {
      // From a file, since posh reads no script from standard input.
      const run = (...flags: string[]) => sh([EXEMPT, shell, SCRIPT, ...flags].join(' '))
      const on = await run(...SOURCE, ...FROM)
      expect(on, shell).toMatchObject({ code: 0, stderr: '' })
      const { stdout: config } = await sh('cat /etc/pomerium/host-agent.yaml')
      expect(config, shell).toMatch(
        /^ {2}accept_from:\n +- 127.0.0.0\/8\n +- 192.0.2.1\n +- 2001:db8::\/32$/m,
      )
      expect(config, shell).toMatch(/^ {2}exempt_from_penalties:\n +- 127.0.0.1\n +- 127.0.0.2$/m)
      const off = await run('--uninstall')
      expect(off, shell).toMatchObject({ code: 0, stderr: '' })
      await sh('systemctl reset-failed ssh')
      return [on.stdout, off.stdout]
    })
    for (const [index, other] of others.entries()) {
      expect(other, SHELLS[index + 1]).toEqual(first)
    }
  })

  test('nothing of all this has left a trace', async () => {
    const users = /^\/etc\/(passwd|group|shadow|gshadow)-?$/
    const after = await touches(it.host)
    const paths = [...new Set([...untouched.keys(), ...after.keys()])]
    const traces = paths.filter(path => untouched.has(path) !== after.has(path))
    expect(traces.filter(path => !users.test(path))).toEqual([])
  })
})

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

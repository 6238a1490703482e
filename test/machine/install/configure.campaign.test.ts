import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { newKeyLine } from '../../ssh-keys.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { difference, touches } from '../harness/host-census.ts'
import { shareOf } from '../harness/share.ts'
import { type AgentHost, bootAgentHost, CA_FILE } from '../hosts/agent-host.ts'

const CONFIG = '/etc/pomerium/host-agent.yaml'
const SOURCE =
  'source:\n  url: https://localhost:8443/bundle\n  ca_file: /etc/pomerium/control-plane-ca.pem\n'
const SECRET = `whsec_${randomBytes(32).toString('base64')}`
const WEBHOOK = 'webhook:\n  listen: 127.0.0.1:9444\n  secret_file: /srv/f/secret\n'
const KEY = newKeyLine('ed25519')
const LINE = `publisher namespaces="pomerium-user-ca" ${KEY}`
const UNITS = 'pomerium-host-agent'
const ALL_WELL = 'unchanged: all is in place\n'

const source = (more: string) => `${SOURCE}  ${more}\n`
const trust = (path: string) => `${SOURCE}trust:\n  signers_file: ${path}\n`
const webhook = (more: string) => `${SOURCE}webhook:\n  ${more}\n`
const textfile = (path: string) => `${SOURCE}metrics:\n  textfile: ${path}\n`
const tls = (cert: string, key: string) =>
  `${SOURCE}${WEBHOOK}  tls_cert_file: /srv/f/${cert}\n  tls_key_file: /srv/f/${key}\n`

// What a file is that should be another: the settings, and what is said, blanks as one.
const WRONG: [what: string, settings: string, ...says: (string | RegExp)[]][] = [
  [
    'a token that is not there',
    source('token_file: /srv/f/none'),
    `${CONFIG}:4: source.token_file: /srv/f/none is missing; write the token into it`,
  ],
  ['a token that is a folder', source('token_file: /srv/f'), '/srv/f is a folder, not a file'],
  ['a token that is a pipe', source('token_file: /srv/f/pipe'), 'pipe is a pipe or a device'],
  ['a token that is a socket', source('token_file: /srv/f/sock'), 'sock is a socket, not a file'],
  ['a token that is a device', source('token_file: /dev/zero'), 'zero is a pipe or a device'],
  ['a token that is huge', source('token_file: /srv/f/huge'), 'huge is a file of more than 1 MiB'],
  ['a token behind a circle', source('token_file: /srv/f/loop'), 'loop is a link that leads in a'],
  ['a token below a file', source('token_file: /srv/f/empty/x'), 'empty/x is missing'],
  ['an empty token', source('token_file: /srv/f/empty'), 'empty is empty; write the token'],
  ['a token of NULs', source('token_file: /srv/f/nuls'), 'nuls holds a NUL byte'],
  ['a token of two lines', source('token_file: /srv/f/two'), 'two holds more than one line'],
  ['a token with a blank', source('token_file: /srv/f/blank'), 'blank holds what no token can'],
  [
    'TLS roots that are none',
    source('token_file: /srv/f/token').replace(
      '/etc/pomerium/control-plane-ca.pem',
      '/srv/f/token',
    ),
    `${CONFIG}:3: source.ca_file: /srv/f/token holds no certificate; write the CA`,
  ],
  [
    'a damaged root behind a good one',
    SOURCE.replace('/etc/pomerium/control-plane-ca.pem', '/srv/f/damaged.pem'),
    /\/srv\/f\/damaged.pem:\d\d: a damaged certificate/,
  ],
  [
    'a signers file that is not there',
    trust('/srv/f/none'),
    `${CONFIG}:5: trust.signers_file: /srv/f/none is missing; write who signs`,
  ],
  ['signers: an empty file', trust('/srv/f/empty'), 'empty is empty; write who signs'],
  ['signers: a comment alone', trust('/srv/f/comment'), 'comment no signer in it'],
  [
    'signers: a bare public key, and the line to write',
    trust('/srv/f/key.pub'),
    '/srv/f/key.pub:2: a public key alone',
    `write in its place: ${LINE}`,
  ],
  ['signers: a private key', trust('/srv/f/cert.key'), '/srv/f/cert.key:1:'],
  ['signers: a link', trust('/srv/f/signers-link'), 'is a symbolic link'],
  ['signers: others may write it', trust('/srv/f/signers-open'), 'can be written by others'],
  [
    'a webhook secret that is not there',
    webhook('secret_file: /srv/f/none'),
    `${CONFIG}:5: webhook.secret_file: /srv/f/none is missing`,
  ],
  [
    'a webhook secret without its prefix',
    webhook('secret_file: /srv/f/token'),
    '/srv/f/token:1: a webhook secret starts with "whsec_"',
  ],
  [
    'the second of two webhook secrets is short',
    webhook('secret_file: /srv/f/short'),
    '/srv/f/short:2: a webhook secret is 24 to 64 bytes',
  ],
  ['webhook secrets: a comment alone', webhook('secret_file: /srv/f/comment'), 'holds no secret'],
  ['a certificate that is none', tls('token', 'cert.key'), '/srv/f/token holds no certificate'],
  ['a key that is none', tls('cert.pem', 'token'), '/srv/f/token holds no private key'],
  ['the key of another', tls('cert.pem', 'other.key'), 'is not the key of the certificate in'],
  [
    'cert and key the wrong way round',
    tls('cert.key', 'cert.pem'),
    'cert.pem holds no private key',
  ],
  [
    'two credentials of one base name, TLS roots among them',
    source('token_file: /srv/f/control-plane-ca.pem'),
    `${CONFIG}:3: source.ca_file and source.token_file need different file names`,
  ],
  [
    'a textfile without its folder',
    textfile('/srv/none/agent.prom'),
    `${CONFIG}:5: metrics.textfile: there is no folder /srv/none`,
  ],
  ['a textfile below a file', textfile('/srv/f/token/agent.prom'), 'token is not a folder'],
  ['a textfile below a link', textfile('/srv/f/folder-link/a.prom'), 'is not a folder, or a link'],
  ['a textfile that is a pipe', textfile('/srv/f/pipe.prom'), 'pipe.prom is not a regular file'],
  [
    'a file source that is not there',
    'source:\n  url: file:///srv/f/none\n',
    `${CONFIG}:2: source.url: /srv/f/none is missing; publish the CA keys there`,
  ],
  ['a file source: a folder', 'source:\n  url: file:///srv/f\n', '/srv/f is not a regular file'],
  ['a file source: a pipe', 'source:\n  url: file:///srv/f/pipe\n', 'is not a regular file'],
  [
    'all that is wrong, at once',
    `${trust('/srv/f/empty')}metrics:\n  textfile: /srv/none/a.prom\n`,
    `${CONFIG}:5: trust.signers_file: /srv/f/empty`,
    `${CONFIG}:7: metrics.textfile: there is no folder`,
  ],
]

// Where a file lies that a service can't see there: what systemd reads itself may lie anywhere.
const HIDDEN: [what: string, settings: (folder: string) => string, folders: string[]][] = [
  [
    'the file of a source',
    folder => `source:\n  url: file://${folder}/bundle\n`,
    ['/root/x', '/home/x', '/tmp/x', '/var/tmp/x', '/run/user/x', '/etc/ssh', '/srv/home-link'],
  ],
  ['signers', folder => trust(`${folder}/signers`), ['/tmp/x', '/var/tmp/x']],
  ['a textfile', folder => textfile(`${folder}/agent.prom`), ['/tmp/x', '/root', '/home']],
  ['the CA file', folder => `${SOURCE}sshd:\n  ca_file: ${folder}/ca.pub\n`, ['/tmp/x', '/root']],
]

// What keeps a unit from its work, and what is said of it.
const BROKEN: [unit: string, section: string, lines: string, says: RegExp][] = [
  ['.service', 'Service', 'LoadCredential=gone:/srv/f/none', /243\/CREDENTIALS/],
  ['.service', 'Service', 'InaccessiblePaths=/usr/local/lib', /exit status 1\d\d|203\/EXEC/],
  [
    '-provisioner.service',
    'Service',
    'ReadWritePaths=/srv/f/none',
    /226\/NAMESPACE.*\/srv\/f\/none/,
  ],
  // After its start was said to be good.
  [
    '-provisioner.service',
    'Service',
    'Environment=POMERIUM_HOST_AGENT_NO=1',
    /exit status 2.*NO is/,
  ],
  ['-repair.service', 'Service', 'ReadWritePaths=/srv/f/none', /226\/NAMESPACE|has failed/],
  ['-watch.service', 'Service', 'ExecStart=\nExecStart=/bin/false', /has failed: exit status 1/],
  ['-webhook.service', 'Service', 'LoadCredential=gone:/srv/f/none', /243\/CREDENTIALS/],
  [
    '-webhook.service',
    'Service',
    'InaccessiblePaths=/usr/local/lib',
    /exit status 1\d\d|203\/EXEC/,
  ],
  ['-webhook.service', 'Service', 'Environment=POMERIUM_HOST_AGENT_NO=1', /exit status 2.*NO is/],
]

const asOneLine = (text: string) => text.replaceAll(/\s+/g, ' ')

function isScreen(text: string): void {
  const wide = text.split('\n').filter(line => line.length > 80 && !line.includes(KEY))
  expect(wide).toEqual([])
}

describeTier('configure, on a booted host', machineTier(), () => {
  let ca: Ca
  beforeAll(async () => {
    ca = await makeCa()
  })
  afterAll(() => ca?.[Symbol.asyncDispose]())

  describe.each(suites)('%s', suite => {
    const isWhole = suite === 'bookworm'
    let it: AgentHost
    const sh = (line: string) => it.host.exec(line, { allowFail: true, timeoutMs: 120_000 })
    const configure = (...flags: string[]) =>
      it.host.exec(['pomerium-host-agent', 'configure', ...flags], {
        allowFail: true,
        timeoutMs: 240_000,
      })
    const settings = (text: string) => it.host.write(CONFIG, text, { mode: 0o640 })
    const refused = async (says: readonly (string | RegExp)[], ...flags: string[]) => {
      const before = await touches(it.host)
      const { code, stdout, stderr } = await configure(...flags)
      for (const said of says) {
        if (typeof said === 'string') expect(asOneLine(stderr)).toContain(said)
        else expect(asOneLine(stderr)).toMatch(said)
      }
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      // What is wrong between settings is for editors, a line each.
      if (stderr.includes('nothing is changed')) isScreen(stderr)
      expect(difference(before, await touches(it.host))).toEqual([])
    }

    beforeAll(async () => {
      it = await bootAgentHost({ suite })
      await it.publish(ca.publicKey)
      const [pair, other] = await Promise.all(
        ['a', 'b'].map(() => makeTestTls({ hosts: ['127.0.0.1'] })),
      )
      if (pair === undefined || other === undefined) throw new Error('no certificates')
      const damaged = pair.ca + pair.cert.replace(/MII.{20}/, 'MII!notbase64atall!!!!!')
      const files: Record<string, string> = {
        ...{ empty: '\n', nuls: 'to\0ken', two: 'a\nb\n', blank: 'a b\n', token: 't0ken\n' },
        ...{ comment: '# later\n', 'key.pub': `# mine\n${KEY}\n`, signers: `${LINE}\n` },
        ...{ 'cert.pem': pair.cert, 'cert.key': pair.key, 'other.key': other.key },
        ...{ 'damaged.pem': damaged, secret: `${SECRET}\n`, short: `${SECRET}\nwhsec_c2hvcnQ=\n` },
        ...{ 'control-plane-ca.pem': 'x\n', 'signers-open': `${LINE}\n` },
      }
      for (const [name, text] of Object.entries(files)) await it.host.write(`/srv/f/${name}`, text)
      const folders = ['/root/x', '/home/x', '/tmp/x', '/var/tmp/x', '/run/user/x']
      await it.host.exec(
        [
          'cd /srv/f; mkfifo pipe pipe.prom; ln -s loop loop; ln -s signers signers-link',
          'ln -s /srv folder-link; chmod 666 signers-open; truncate -s 2M huge',
          'perl -MIO::Socket::UNIX -e \'IO::Socket::UNIX->new(Local=>"sock",Listen=>1)\'',
          `for d in ${folders.join(' ')}; do mkdir -p -m 755 $d; cp signers $d/signers`,
          `echo '${ca.publicKey}' >$d/bundle; cp token $d/token; done`,
          'ln -s /home/x /srv/home-link; cp signers /etc/ssh/bundle',
        ].join('; '),
      )
    })
    afterAll(() => it?.stop())

    if (isWhole) {
      describe('a file that is not what it should be is refused before anything is changed', () => {
        test.each(WRONG)('%s', async (_, text, ...says) => {
          await settings(text)
          await refused(says)
        })
        test.each([
          ['a token that is not there', 'source.token_file', '/srv/f/none', 'none is missing'],
          ['a token that is a pipe', 'source.token_file', '/srv/f/pipe', 'is a pipe or a device'],
          ['a token of two lines', 'source.token_file', '/srv/f/two', 'two holds more than one'],
          ['a bare key', 'trust.signers_file', '/srv/f/key.pub', `key.pub:2: a public key alone`],
          ['a secret that is none', 'webhook.secret_file', '/srv/f/token', 'token:1: a webhook'],
        ])('handed in by a flag: %s', async (_, setting, path, said) => {
          await settings(SOURCE)
          await refused([`${setting}: /srv/f/`, said], '--copy', `${setting}=${path}`)
        })
        test('the config file or the environment file is a pipe', async () => {
          await settings(SOURCE)
          const environment = '/etc/default/pomerium-host-agent'
          for (const path of [CONFIG, environment]) {
            await sh(`mv ${path} /srv/kept; mkfifo ${path}`)
            try {
              await refused([`${path} is a pipe or a device`])
            } finally {
              // Whoever writes to a pipe waits.
              await sh(`rm ${path}; mv /srv/kept ${path}`)
            }
          }
        })
      })
    }

    describe('a file that its service can not see is refused', () => {
      const rows = HIDDEN.flatMap(([what, text, folders]) =>
        folders.map(folder => [what, folder, text] as const),
      )
      test.each(shareOf(suite, rows))('%s in %s', async (_, folder, text) => {
        await settings(text(folder))
        await refused([/in \/\S+, (which is hidden|and our services have)|is read-only/])
      })
    })

    test.each(['/root/x', '/home/x', '/tmp/x'])(
      'what systemd hands over may lie in %s',
      async folder => {
        await settings(source(`token_file: ${folder}/token`))
        const { code, stdout, stderr } = await configure()
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        isScreen(stdout)
        // It goes at the next boot.
        expect(stdout.includes(`note: ${CONFIG}`)).toBe(folder === '/tmp/x')
      },
    )

    test.each(['/root/x', '/home/x'])(
      'signers in %s are read there, and a textfile is written',
      async folder => {
        await settings(`${trust(`${folder}/signers`)}metrics:\n  textfile: ${folder}/agent.prom\n`)
        const { code, stdout, stderr } = await configure()
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        // Not its failure, and not passed over.
        expect(asOneLine(stdout)).toMatch(/last look at the \S+ ended so: refused \(unsigned\)/)
        isScreen(stdout)
        expect(it.host.exists(`${folder}/agent.prom`)).toBe(true)
      },
    )

    test('a CA file in a folder of its own, and back again: each service can write', async () => {
      await settings(`${SOURCE}sshd:\n  ca_file: /srv/ca/deep/keys.pub\n`)
      expect(await configure()).toMatchObject({ code: 0, stderr: '' })
      await it.host.exec('pomerium-host-agent apply')
      expect(it.host.exists('/srv/ca/deep/keys.pub')).toBe(true)
      await settings(SOURCE)
      expect(await configure()).toMatchObject({ code: 0, stderr: '' })
      await it.host.waitFor('the former file to be given back', () => {
        return !it.host.exists('/srv/ca/deep/keys.pub') && it.host.exists(CA_FILE)
      })
    })

    describe('each unit is run once, and one that fails is an error', () => {
      const dropIn = (unit: string) => `/etc/systemd/system/${UNITS}${unit}.d/zz-broken.conf`
      beforeAll(async () => {
        await settings(SOURCE + WEBHOOK)
        expect(await configure()).toMatchObject({ code: 0, stderr: '' })
      })
      // Mended, it is well again; and it was well before.
      afterEach(async () => {
        await settings(SOURCE + WEBHOOK)
        await sh(`systemctl reset-failed '${UNITS}*'`)
        const again = await configure('--asleep')
        expect(again).toEqual({ code: 0, stdout: expect.any(String), stderr: '' })
        expect(again.stdout).not.toContain('the last look')
      })
      test('all is well', async () => {
        expect(await configure()).toEqual({ code: 0, stdout: ALL_WELL, stderr: '' })
      })

      test.each(shareOf(suite, BROKEN))('%s, %s, %s', async (unit, section, lines, says) => {
        await it.host.write(dropIn(unit), `[${section}]\n${lines}\n`)
        await it.host.exec('systemctl daemon-reload')
        await sh(`systemctl stop ${UNITS}${unit}`)
        const { code, stdout, stderr } = await configure()
        await it.host.exec(`rm ${dropIn(unit)}; systemctl daemon-reload`)
        expect(stderr).toContain(`${UNITS}${unit} has failed`)
        expect(asOneLine(stderr)).toMatch(says)
        expect(stdout).not.toContain('in place')
        expect(code).toBe(5)
        isScreen(stderr)
      })

      if (!isWhole) return

      test('the port of the webhook is taken', async () => {
        await sh(`systemctl stop ${UNITS}-webhook.socket ${UNITS}-webhook.service`)
        const other = it.host.spawn([
          'perl',
          '-MIO::Socket::INET',
          '-e',
          '$s=IO::Socket::INET->new(LocalAddr=>"127.0.0.1:9444",Listen=>1);sleep 60',
        ])
        await it.host.waitFor('it to listen', async () => {
          return (await it.host.exec('ss -Hltn sport = :9444')).stdout !== ''
        })
        const { code, stderr } = await configure()
        other.kill()
        await other.done.catch(() => {})
        expect(stderr).toContain(`${UNITS}-webhook.socket`)
        expect(stderr).toMatch(/Address already in use/)
        expect(code).toBe(5)
        isScreen(stderr)
      })

      test('the service that stays fails again and again', async () => {
        await it.host.write(dropIn('.service'), '[Service]\nEnvironment=POMERIUM_HOST_AGENT_NO=1\n')
        await it.host.exec('systemctl daemon-reload')
        const { code, stderr } = await configure('--resident')
        await it.host.exec(`rm ${dropIn('.service')}; systemctl daemon-reload`)
        expect(asOneLine(stderr)).toMatch(`${UNITS}.service has failed: exit status 2`)
        expect(code).toBe(5)
        expect(await configure()).toMatchObject({ code: 0, stderr: '' })
      })

      test('a secret that went since is seen by the next configure, and an upgrade', async () => {
        await it.host.exec('mv /srv/f/secret /srv/kept')
        await refused([`webhook.secret_file: /srv/f/secret is missing`])
        await refused([`webhook.secret_file: /srv/f/secret is missing`], '--renewed')
        await it.host.exec('mv /srv/kept /srv/f/secret')
      })

      test('an upgrade is not refused for what nothing of ours depends on', async () => {
        await settings(`${textfile('/srv/none/agent.prom')}${WEBHOOK}`)
        const { code, stdout, stderr } = await configure('--renewed')
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(stdout).toContain('note: /etc/pomerium/host-agent.yaml:5: metrics.textfile')
      })

      test('a silent source is said, and is no failure', async () => {
        await it.stopControlPlane()
        const { code, stdout, stderr } = await configure()
        await it.startControlPlane()
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(asOneLine(stdout)).toContain('ended so: source-unavailable (unreachable): ')
        expect(stdout).not.toContain('in place')
        isScreen(stdout)
      })

      test('where nothing is to start, nothing is said to be in place', async () => {
        const { code, stdout } = await configure('--no-start')
        expect({ code, stdout }).toEqual({
          code: 0,
          stdout: 'unchanged: all is laid; nothing is started\n',
        })
      })
    })
  })
})

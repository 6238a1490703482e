// Everything that is not well with a host, and what says so: each is made so, seen, and mended again.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { SHADOW } from '../hosts/drift-kinds.ts'
import { bootWebhookHost, SECRET_FILE, type WebhookHost } from '../hosts/webhook-host.ts'

const SERVICE = 'pomerium-host-agent.service'
const WEBHOOK = 'pomerium-host-agent-webhook.service'
const TIMER = 'pomerium-host-agent.timer'
const UNITS = '/etc/systemd/system'
const NOTES = '/var/lib/pomerium-host-agent-daemon/polls.json'
const LOOP = `/run/systemd/system/${SERVICE}.d/loop.conf`
const PORT = '/etc/ssh/sshd_config.d/90-port.conf'
const CONFIG = '/etc/pomerium/host-agent.yaml'
const BROKEN = '/etc/ssh/sshd_config.d/90-broken.conf'

const LET_GO = '/run/systemd/system/ssh.service.d/let-go.conf'
// What status says of it, by a process id that is not known beforehand.
const RELEASED = `systemctl restart ssh.service; pkill -o -x sshd; until [ -z "$(ss -Hltn sport = :22)" ]; do sleep 0.1; done; systemctl restart ssh.service`

const systemctl = (...words: string[]) => `systemctl ${words.join(' ')}`
const again = `${systemctl('reset-failed')}; ${systemctl('start', SERVICE)}`

// Nothing puts right what has drifted, nor is about to.
const QUIET = `systemctl stop ${['watch.path', 'watch.timer', 'watch.service', 'repair.path', 'repair.service'].map(unit => `pomerium-host-agent-${unit}`).join(' ')}; rm -f /run/pomerium-host-agent/drift; systemctl reset-failed`
const WATCHED = systemctl(
  'start',
  'pomerium-host-agent-watch.path',
  'pomerium-host-agent-repair.path',
)

interface Fault {
  name: string
  break: string
  mend: string
  /** The first finding, and words of the screen's first two lines. */
  code: string
  /** Another finding beside it. */
  also?: string
  says: RegExp
  /** The same for who is not root; `false` where only root can see it. */
  alice?: string | false
  /** What `/healthz` then says; `false` where it still says that all is well. */
  health?: string
}

const FAULTS: Fault[] = [
  {
    name: 'sshd is stopped',
    break: systemctl('stop', 'ssh.service'),
    mend: systemctl('start', 'ssh.service'),
    code: 'sshd-down',
    says: /sshd is not running: ssh\.service is stopped run: sudo systemctl start ssh\.service/,
    health: 'sshd-down',
  },
  {
    name: 'sshd is masked',
    break: systemctl('mask', '--now', '--quiet', 'ssh.service'),
    mend: `${systemctl('unmask', '--quiet', 'ssh.service')}; ${systemctl('start', 'ssh.service')}`,
    code: 'sshd-down',
    // With ssh.service masked, its alias is a unit of its own, and starts.
    says: /(ssh\.service is masked run: sudo systemctl unmask ssh|sshd\.service is stopped run: sudo systemctl start sshd)\.service/,
    health: 'sshd-down',
  },
  {
    name: 'another sshd listens, which was started by hand',
    break: `${systemctl('stop', 'ssh.service')}; mkdir -p /run/sshd; /usr/sbin/sshd -o PidFile=/run/hand.pid; sleep 0.5`,
    mend: `kill $(cat /run/hand.pid); ${systemctl('start', 'ssh.service')}`,
    code: 'sshd-by-hand',
    says: /started by hand: ssh\.service is down/,
  },
  {
    name: 'sshd has not read the port that it is to listen on',
    break: `echo Port 2222 >${PORT}`,
    mend: `rm ${PORT}`,
    code: 'sshd-down',
    says: /listens on none of its ports: 2222/,
    alice: false,
  },
  {
    name: 'the configuration of sshd is broken',
    break: `echo Bogus yes >${BROKEN}`,
    mend: `rm ${BROKEN}`,
    code: 'sshd-config-broken',
    says: /would not start again see: sudo sshd -t/,
    alice: false,
  },
  {
    name: 'sshd has not opened one of its ports',
    break: `printf 'Port 22\\nPort 2222\\n' >${PORT}`,
    mend: `rm ${PORT}`,
    code: 'sshd-port-closed',
    says: /sshd does not listen on port 2222/,
    alice: false,
  },
  {
    name: 'sshd runs and is masked',
    break: systemctl('mask', '--quiet', 'ssh.service'),
    // systemd 247 has forgotten its sshd by then.
    mend: `${systemctl('unmask', '--quiet', 'ssh.service')}; systemctl is-active -q ssh || { ${RELEASED}; }`,
    code: 'sshd-masked',
    says: /ssh\.service is masked: no boot brings sshd back run: sudo systemctl unmask ssh\.service/,
  },
  {
    name: 'sshd listens, and its unit could not start beside it',
    break: `mkdir -p /run/systemd/system/ssh.service.d; printf '[Service]\\nKillMode=none\\n' >${LET_GO}; systemctl daemon-reload; systemctl stop ssh; rm ${LET_GO}; systemctl daemon-reload; systemctl start ssh; true`,
    mend: RELEASED,
    code: 'sshd-forgotten',
    says: /ssh\.service is down, and the sshd that it started before listens run: sudo systemctl restart ssh; sudo kill \d+; sudo systemctl restart ssh/,
  },
  {
    name: 'there is no sshd to ask any more',
    break: 'mv /usr/sbin/sshd /root/sshd',
    mend: 'mv /root/sshd /usr/sbin/sshd',
    code: 'not-followed',
    also: 'unproved',
    says: /the last good keys stay in force/,
    alice: false,
  },
  {
    name: 'what is held would be refused today',
    break: `cp -a ${CONFIG} /root/config; printf 'trust:\\n  fingerprints: [SHA256:${'A'.repeat(43)}]\\n' >>${CONFIG}`,
    mend: `cp -a /root/config ${CONFIG}`,
    code: 'held-refused',
    says: /what is held would not be taken today \(fingerprint-not-allowed\)/,
    alice: false,
  },
  {
    name: 'the timer is stopped',
    break: systemctl('stop', TIMER),
    mend: systemctl('start', TIMER),
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is stopped run: sudo systemctl enable --now pomerium-host-agent\.timer/,
  },
  {
    name: 'the timer is masked',
    break: `mv ${UNITS}/${TIMER} /root; ln -s /dev/null ${UNITS}/${TIMER}; systemctl daemon-reload; systemctl stop ${TIMER}`,
    mend: `rm ${UNITS}/${TIMER}; mv /root/${TIMER} ${UNITS}; systemctl daemon-reload; systemctl start ${TIMER}`,
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is masked run: sudo systemctl unmask pomerium-host-agent\.timer/,
  },
  {
    name: 'the timer is gone',
    break: `systemctl stop ${TIMER}; mv ${UNITS}/${TIMER} /root; systemctl daemon-reload`,
    mend: `mv /root/${TIMER} ${UNITS}; systemctl daemon-reload; systemctl start ${TIMER}`,
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is not there/,
  },
  {
    name: 'the timer does not come back after a boot',
    break: systemctl('disable', '--quiet', TIMER),
    mend: systemctl('enable', '--quiet', TIMER),
    code: 'agent-disabled',
    says: /pomerium-host-agent\.timer does not come back after a boot/,
  },
  {
    name: 'the socket of the webhook is stopped',
    break: systemctl('stop', 'pomerium-host-agent-webhook.socket'),
    mend: systemctl('start', 'pomerium-host-agent-webhook.socket'),
    code: 'agent-stopped',
    says: /no rotation webhook is heard: .*webhook\.socket is stopped/,
  },
  {
    name: 'the socket of the webhook has failed',
    // Nobody of another name opens it: the user that it is to belong to is not there.
    break: `mkdir -p /run/systemd/system/pomerium-host-agent-webhook.socket.d; printf '[Socket]\\nListenStream=\\nListenStream=/run/hook\\nSocketUser=nobody-at-all\\n' >/run/systemd/system/pomerium-host-agent-webhook.socket.d/x.conf; systemctl daemon-reload; systemctl restart pomerium-host-agent-webhook.socket; true`,
    mend: 'rm -r /run/systemd/system/pomerium-host-agent-webhook.socket.d; systemctl daemon-reload; systemctl restart pomerium-host-agent-webhook.socket',
    code: 'agent-failing',
    says: /no rotation webhook is heard: .*webhook\.socket has failed/,
  },
  {
    name: 'the socket of the provisioner is stopped',
    break: systemctl('stop', 'pomerium-host-agent-provisioner.socket'),
    mend: systemctl('start', 'pomerium-host-agent-provisioner.socket'),
    code: 'agent-stopped',
    // Not by /healthz: what it wakes wants that socket, and systemd opens it again.
    says: /can put nothing in force: .*provisioner\.socket/,
  },
  {
    name: 'the socket of the provisioner is not there, though its unit is up',
    break: 'rm /run/pomerium-host-agent/provisioner.sock',
    mend: systemctl('restart', 'pomerium-host-agent-provisioner.socket'),
    code: 'provisioner-unreachable',
    says: /nobody listens on \/run\/pomerium-host-agent\/provisioner\.sock/,
    health: 'provisioner-unreachable',
  },
  {
    name: 'the watch on the files is stopped',
    break: systemctl('stop', 'pomerium-host-agent-watch.path'),
    mend: systemctl('start', 'pomerium-host-agent-watch.path'),
    code: 'agent-stopped',
    says: /drift is seen no more: pomerium-host-agent-watch\.path/,
  },
  {
    name: 'the service of the webhook fails for want of a secret',
    break: `mv ${SECRET_FILE} /root/secret; ${systemctl('stop', WEBHOOK)}; ${systemctl('start', '--no-block', WEBHOOK)}; until systemctl show -p SubState ${WEBHOOK} | grep -q auto-restart; do sleep 0.1; done`,
    mend: `mv /root/secret ${SECRET_FILE}; ${systemctl('restart', WEBHOOK)}`,
    code: 'agent-failing',
    says: /no rotation webhook is heard: .*webhook\.service fails again and again \(243\/CREDENTIALS, a file could not be handed over\)/,
  },
  {
    name: 'the service fails again and again',
    break: `mkdir -p $(dirname ${LOOP}); printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestart=always\\nRestartSec=30s\\n' >${LOOP}; systemctl daemon-reload; systemctl stop ${SERVICE}; systemctl start --no-block ${SERVICE}; until systemctl show -p SubState ${SERVICE} | grep -q auto-restart; do sleep 0.1; done`,
    mend: `rm ${LOOP}; systemctl daemon-reload; systemctl stop ${SERVICE}; ${again}`,
    code: 'agent-failing',
    says: /stopped following the source: .*fails again and again \(exit status 1/,
  },
  {
    name: 'the config has a typo, and the daemon can not start',
    break: `cp -a ${CONFIG} /root/config; sed -i 's/^source:/sorce:/' ${CONFIG}; ${systemctl('stop', SERVICE)}; ${systemctl('start', SERVICE)}; sleep 1; true`,
    mend: `cp -a /root/config ${CONFIG}; ${again}`,
    code: 'config-broken',
    says: /nothing of ours can start: \/etc\/pomerium\/host-agent\.yaml:1.*sorce/,
    alice: 'agent-failing',
  },
  {
    name: 'the config is empty, and nobody has looked since',
    break: `cp -a ${CONFIG} /root/config; : >${CONFIG}`,
    mend: `cp -a /root/config ${CONFIG}`,
    code: 'config-broken',
    says: /nothing of ours can start: the config has no source\.url say in \/etc\/pomerium\/host-agent\.yaml/,
    alice: false,
  },
  {
    name: 'the CA file is deleted, and not put back yet',
    break: `${QUIET}; rm ${CA_FILE}`,
    mend: `${WATCHED}; pomerium-host-agent repair`,
    code: 'no-keys',
    says: /trusts no CA key/,
    alice: 'drift',
  },
  {
    name: 'the CA file holds another key, and is not put back yet',
    break: `${QUIET}; ssh-keygen -q -t ed25519 -N '' -f /root/other; cat /root/other.pub >${CA_FILE}`,
    mend: `rm /root/other*; ${WATCHED}; pomerium-host-agent repair`,
    code: 'not-in-force',
    says: /does not go by these keys/,
    alice: false,
  },
  {
    name: 'others may read the CA file, and it is not put right yet',
    break: `${QUIET}; chmod 644 ${CA_FILE}`,
    mend: `${WATCHED}; pomerium-host-agent repair`,
    code: 'drift',
    says: /changed since: \/var\/lib\/pomerium\/pomerium_user_ca_key\.pub \(mode 0644/,
  },
  {
    name: 'a drop-in shadows ours',
    break: `${QUIET}; printf '${SHADOW.content.trim()}\\n' >${SHADOW.path}`,
    mend: `rm ${SHADOW.path}; ${WATCHED}; pomerium-host-agent repair`,
    code: 'not-in-force',
    says: /does not go by these keys/,
    alice: false,
  },
  {
    name: 'the source has given nothing for long',
    break: `cp -a ${NOTES} /root/notes; sed -i 's/"lastSuccess": "20../"lastSuccess": "2019/' ${NOTES}`,
    mend: `cp -a /root/notes ${NOTES}`,
    code: 'source-away',
    says: /the source has given nothing for \d+ days/,
    health: 'source-away',
  },
  {
    name: 'nothing has looked for long',
    break: `cp -a ${NOTES} /root/notes; sed -i 's/"at": "20../"at": "2019/' ${NOTES}; sed -i 's/^  "at": "20../  "at": "2019/' /run/pomerium-host-agent/status.json`,
    mend: `cp -a /root/notes ${NOTES}; pomerium-host-agent repair`,
    code: 'stale',
    says: /nothing has looked at this host for \d+ days/,
  },
  {
    name: 'what was accepted is damaged',
    break: `cp -a /var/lib/pomerium-host-agent/state.json /root/state; echo '{' >/var/lib/pomerium-host-agent/state.json`,
    mend: 'cp -a /root/state /var/lib/pomerium-host-agent/state.json',
    code: 'state-damaged',
    says: /the record of what this host holds is damaged/,
    alice: false,
  },
]

describeTier('a host that is not well, on a booted host', machineTier(), () => {
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let it: WebhookHost
    let ca: Ca
    beforeAll(async () => {
      ca = await makeCa()
      it = await bootWebhookHost({ suite })
      await it.publish(ca.publicKey)
      await it.host.exec(systemctl('start', SERVICE))
      await it.host.waitFor('a host that is well', async () => (await status()).well, 30_000)
    })
    afterAll(async () => {
      await it?.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    const run = (user: string, ...flags: string[]) =>
      it.host.exec(['pomerium-host-agent', 'status', ...flags], { user, allowFail: true })
    const status = async (user = 'root') =>
      JSON.parse((await run(user, '--json')).stdout) as PrintedStatus
    const health = async () => {
      const curl = "curl -s -w '\\n%{http_code}' http://127.0.0.1:9444/healthz"
      const [body = '', code] = (await it.host.exec(curl)).stdout.trim().split(/\n+/)
      return { http: Number(code), ...(JSON.parse(body) as { code: string; ok: boolean }) }
    }
    const metric = async (name: string) => {
      const { stdout } = await it.host.exec('curl -sf http://127.0.0.1:9444/metrics')
      return new RegExp(`^pomerium_host_agent_${name} (\\S+)$`, 'm').exec(stdout)?.[1]
    }
    const wellAgain = async () => {
      await it.host.waitFor('a host that is well again', async () => (await status()).well, 30_000)
    }

    test('well is exit code 0, for root and for others; what others can not see is said', async () => {
      expect(await run('root')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^in-force: /),
      })
      const other = await run('alice')
      expect(other).toMatchObject({ code: 0, stdout: expect.stringMatching(/^in-force: /) })
      expect(other.stdout).toContain('not seen:\n')
      expect(other.stdout).toContain('what sshd uses (sshd -T)')
      expect(await health()).toMatchObject({ http: 200, ok: true, code: 'in-force' })
      expect(await metric('trust_effective')).toBe('1')
      expect(await metric('sshd_listening')).toBe('1')
    })

    test.each(FAULTS)('is said: $name', async fault => {
      await it.host.exec(fault.break)
      try {
        const screen = await run('root')
        const [first = ''] = screen.stdout.split('\n\n')
        expect(first.replaceAll(/\s+/g, ' ')).toMatch(fault.says)
        expect(screen.code).toBe(8)
        expect(screen.stdout.split('\n').filter(line => line.length > 80)).toEqual([])
        expect(await status()).toMatchObject({
          ...{ well: false, code: fault.code },
          findings: expect.arrayContaining([
            expect.objectContaining({ code: fault.also ?? fault.code }),
          ]),
        })
        if (fault.alice !== false) {
          const other = await run('alice', '--json')
          const report = { code: 8, well: false, says: fault.alice ?? fault.code }
          const { well, code: says } = JSON.parse(other.stdout) as PrintedStatus
          expect({ code: other.code, well, says }).toEqual(report)
        }
        if (fault.health !== undefined) {
          expect(await health()).toMatchObject({ http: 503, ok: false, code: fault.health })
        }
      } finally {
        await it.host.exec(fault.mend)
      }
      await wellAgain()
    })

    test('on a terminal the first line is red, and nowhere else', async () => {
      await it.host.exec(systemctl('stop', 'ssh.service'))
      const { stdout } = await it.host.exec(
        `TERM=xterm script -qec 'pomerium-host-agent status' /dev/null; true`,
      )
      expect(stdout.startsWith('\u001b[31msshd-down')).toBe(true)
      await it.host.exec(systemctl('start', 'ssh.service'))
    })

    test('every metric turns with what it tells', async () => {
      const scrape = async () => {
        const { stdout } = await it.host.exec('curl -sf http://127.0.0.1:9444/metrics')
        const lines = stdout.split('\n').filter(line => /^pomerium/.test(line))
        return new Map(lines.map(line => [line.replace(/ \S+$/, ''), line.split(' ').at(-1)]))
      }
      const own = (name: string) => `pomerium_host_agent_${name}`
      await using next = await makeCa('rsa', 'next')
      const before = await scrape()
      const soon = (ms: number) => new Date(Date.now() + ms).toISOString()
      const bundle = (serial: number, ...keys: string[]) => [
        ...[`# serial: ${serial}`, `# issued: ${soon(-60_000 * serial)}`],
        ...[`# expires: ${soon(86_400_000 * serial)}`, ...keys],
      ]
      await it.publish(...bundle(1, next.publicKey))
      expect((await it.apply()).code).toBe(0)
      const one = await scrape()
      await it.publish(...bundle(2, next.publicKey, ca.publicKey))
      expect((await it.apply()).code).toBe(0)
      const two = await scrape()
      const key = (fingerprint: string) =>
        [...two.keys()].find(name => name.includes(fingerprint)) ?? fingerprint
      expect([before.has(key(next.fingerprint)), one.has(key(next.fingerprint))]).toEqual([
        false,
        true,
      ])
      expect([one.has(key(ca.fingerprint)), two.has(key(ca.fingerprint))]).toEqual([false, true])
      const turned = (name: string) => one.get(own(name)) !== two.get(own(name))
      const names = [
        ...['trusted_keys', 'bundle_serial', 'bundle_issued_timestamp_seconds'],
        ...['bundle_expiry_timestamp_seconds', 'bundle_accepted_timestamp_seconds'],
        ...['last_success_timestamp_seconds', 'last_cycle_timestamp_seconds'],
        ...['trust_seen_timestamp_seconds', 'sshd_restarts_total'],
        'cycles_total{outcome="applied"}',
      ]
      expect(names.filter(name => !turned(name))).toEqual([])

      // A file that somebody changes again and again: counted, and then left alone.
      await it.host.exec(QUIET)
      for (let n = 0; n < 6; n++) {
        await it.host.exec(`chmod 644 ${CA_FILE}; pomerium-host-agent repair; true`)
      }
      const fought = await scrape()
      expect([two, fought].map(each => each.get(own('contested')))).toEqual(['0', '1'])
      expect(Number(fought.get(own('drift_repairs_total')))).toBeGreaterThanOrEqual(5)
      expect((await it.apply()).code).toBe(0)

      // So many changes that a restart is put off, however long each takes here.
      const limit = '/run/systemd/system/ssh.service.d/limit.conf'
      await it.host.write(limit, '[Unit]\nStartLimitIntervalSec=10min\n')
      await it.host.exec('systemctl daemon-reload')
      let serial = 2
      const deferred = async () => {
        serial += 1
        await it.publish(...bundle(serial, serial % 2 === 0 ? next.publicKey : ca.publicKey))
        return (await it.apply()).outcome.service?.action === 'deferred'
      }
      while (serial < 12 && !(await deferred()));
      const put = await scrape()
      await it.host.exec(`rm ${limit}; systemctl daemon-reload`)
      expect([two, put].map(each => each.get(own('sshd_restart_due')))).toEqual(['0', '1'])

      // The program is another one.
      const versions = (scraped: Map<string, unknown>) =>
        [...scraped.keys()].filter(name => name.startsWith(own('build_info')))
      const manifest = '/usr/local/lib/pomerium-host-agent/*/package.json'
      await it.host.exec(`cp ${manifest} /root/manifest; sed -i 's/"version": *"/&9/' ${manifest}`)
      await it.host.exec(systemctl('stop', SERVICE))
      expect(versions(await scrape())).not.toEqual(versions(put))
      await it.host.exec(`cat /root/manifest >$(ls ${manifest}); ${systemctl('stop', SERVICE)}`)

      // A source that is two minutes ahead.
      const body = bundle(serial + 1, ca.publicKey).join('\n')
      const head = `HTTP/1.1 200 OK\r\ndate: ${new Date(Date.now() + 120_000).toUTCString()}`
      const rest = `content-type: text/plain\r\ncontent-length: ${body.length}`
      await it.behave({ mode: 'raw', text: `${head}\r\n${rest}\r\n\r\n${body}` })
      await it.rotate()
      expect(Number((await scrape()).get(own('clock_skew_seconds')))).toBeGreaterThan(60)
      expect((await status()).findings.map(({ code }) => code)).toContain('clock-skew')
      await it.behave({ mode: 'normal' })
      await it.publish(...bundle(serial + 2, ca.publicKey))
      await it.rotate()
      await it.host.exec(`${WATCHED}; rm -f /var/lib/pomerium-host-agent/restarts.json`)
    })

    test('/metrics says that no key is in force while sshd is dead', async () => {
      await it.host.exec(systemctl('stop', 'ssh.service'))
      expect(await metric('trust_effective')).toBe('0')
      expect(await metric('sshd_listening')).toBe('0')
      await it.host.exec(systemctl('start', 'ssh.service'))
      expect(await metric('trust_effective')).toBe('1')
    })
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BOOT_SERVICE } from '../../../agent/core/services/unit-drop-ins.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { type AgentHost, CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import { bootInstalledHost, OUR_UNITS, poll } from '../hosts/installed-host.ts'

const CONFIG = '/etc/pomerium/host-agent.yaml'
const STATE = '/var/lib/pomerium-host-agent/state.json'
const SFTP_CONFIG = '/etc/ssh/sftp_config'
const SFTP = `Port 2222
PidFile /run/sftp.pid
Subsystem sftp internal-sftp
ForceCommand internal-sftp
`
const SFTP_UNIT = `[Service]
ExecStart=/usr/sbin/sshd -D -f ${SFTP_CONFIG}
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
[Install]
WantedBy=multi-user.target
`

// What parses and is wrong, and what does not parse; as a line of sh that puts it at $1.
const DAMAGE = [
  ['an empty file', ': >$1'],
  ['cut off', 'head -c 100 $1 >$1.cut; cat $1.cut >$1; rm $1.cut'],
  ['null in a list', `sed -zi 's/"repairs": \\[[^]]*\\]/"repairs": [null]/' $1`],
  [
    'an empty bundle',
    `echo '{"version":1,"held":{},"madeFolders":[],"repairs":[],"restartDue":false}' >$1`,
  ],
  ['a number for a text', `sed -i 's/"source": ".*"/"source": 7/' $1`],
  [
    'names of Object.prototype',
    `echo '{"__proto__":{"version":1},"constructor":1,"toString":[]}' >$1`,
  ],
  ['a path that is none', `sed -i 's/"written": \\[/"written": [{"path":"x","is":"keys"},/' $1`],
  ['a folder', 'rm $1; mkdir $1'],
  ['100 MB', 'truncate -s 100M $1'],
] as const

describeTier('what is on record, on a booted host', machineTier(), () => {
  describe.each(suites)('%s', suite => {
    let it: AgentHost
    let first: Ca
    let second: Ca
    beforeAll(async () => {
      ;[first, second] = await Promise.all([makeCa(), makeCa()])
      it = await bootInstalledHost({
        suite,
        prepare: async files => {
          await files.write(SFTP_CONFIG, SFTP)
          await files.write('/etc/systemd/system/sftp.service', SFTP_UNIT)
        },
      })
      await it.publish(first.publicKey)
    })
    afterAll(async () => {
      await it?.stop()
      await first?.[Symbol.asyncDispose]()
      await second?.[Symbol.asyncDispose]()
    })

    const sh = (line: string) => it.host.exec(line, { allowFail: true })
    // Not at the moment of a restart that was put off, as after so many in a few seconds.
    const accepted = async (ca: Ca) => {
      const answer = await it.host.waitFor('an answer of sshd', async () => {
        const { outcome } = await login(it.host, { ca })
        return outcome !== 'unreachable' && outcome
      })
      return answer === 'accepted'
    }
    const remove = async (env: Record<string, string> = {}) => {
      const argv = ['pomerium-host-agent', 'remove', '--json']
      const { code, stdout, stderr } = await it.host.exec(argv, { allowFail: true, env })
      return { code, stderr, outcome: JSON.parse(stdout || '{}') }
    }
    const verdict = async (user = 'root') => {
      const argv = ['pomerium-host-agent', 'status', '--json']
      const { stdout } = await it.host.exec(argv, { user, allowFail: true })
      return JSON.parse(stdout).code
    }
    const config = (more: string) =>
      sh(`sed -i '/^sshd:/,$d' ${CONFIG}; echo '${more}' >>${CONFIG}`)

    describe('a stopped ssh.service', () => {
      beforeAll(() => sh('systemctl daemon-reload; systemctl start sftp'))
      afterAll(() => sh('systemctl unmask ssh; systemctl stop sftp; systemctl restart ssh'))

      test('before the first apply: no other sshd takes its place', async () => {
        await sh('systemctl stop ssh')
        expect(await it.apply()).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
        expect(await it.host.read(SFTP_CONFIG)).toBe(SFTP)
        await sh('systemctl start ssh')
        expect(await accepted(first)).toBe(true)
        expect(await remove()).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
      })

      test.each([
        ['stopped', 'systemctl stop ssh', 'true'],
        ['masked', 'systemctl stop ssh; systemctl mask ssh', 'systemctl unmask ssh'],
        ['stopped and disabled', 'systemctl disable --now ssh', 'systemctl enable ssh'],
      ])('%s: a rotation is followed, and no other sshd is touched', async (_, down, up) => {
        await it.publish(first.publicKey)
        expect(await it.apply()).toMatchObject({ code: 0 })
        // One that falls between the stop and the mask has systemd forget the sshd that it starts.
        await it.host.waitFor(
          'a restart that was put off',
          async () => {
            const list =
              "systemctl list-units --all --plain --no-legend 'pomerium-host-agent-restart*'"
            return (await it.host.exec(list)).stdout === ''
          },
          30_000,
        )
        await sh(down)
        await it.publish(second.publicKey)
        expect(await it.apply()).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
        expect(await it.host.read(SFTP_CONFIG)).toBe(SFTP)
        expect(await it.host.read(CA_FILE)).toContain(second.publicKey.split(' ')[1])
        // So many starts of ours in ten seconds are too many for systemd.
        await it.host.exec(`${up} && systemctl reset-failed ssh && systemctl start ssh`)
        expect(await accepted(second)).toBe(true)
        expect(await accepted(first)).toBe(false)
      })

      test('its own configuration is the one that its unit names', async () => {
        const dropIn = '/etc/systemd/system/ssh.service.d/own.conf'
        const start = '[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -f /etc/ssh/own_config\n'
        await sh(`grep -v ^Include /etc/ssh/sshd_config >/etc/ssh/own_config; systemctl stop ssh`)
        const own = await it.host.read('/etc/ssh/own_config')
        await it.host.write(dropIn, start)
        await sh('systemctl daemon-reload')
        // Unless a repair, which the reload wakes, was first.
        expect(await it.apply()).toMatchObject({ code: 0 })
        expect(await it.host.read('/etc/ssh/own_config')).toMatch(/^# BEGIN pomerium-host-agent/)
        expect(await it.host.read(SFTP_CONFIG)).toBe(SFTP)
        await sh('systemctl start ssh')
        expect(await accepted(second)).toBe(true)
        // Its former main file is given back as soon as it is former, by remove or by apply.
        await sh(`rm ${dropIn}; systemctl daemon-reload; systemctl restart ssh`)
        expect(await it.apply()).toMatchObject({ code: 0 })
        expect(await it.host.read('/etc/ssh/own_config')).toBe(own)
        expect(await accepted(second)).toBe(true)
      })
    })

    test('other places in the settings: the former ones are given back', async () => {
      await it.publish(second.publicKey)
      expect(await it.apply()).toMatchObject({ code: 0 })
      await sh('mkdir /opt/ca')
      await config('sshd: { ca_file: /opt/ca/keys.pub, drop_in: /etc/ssh/sshd_config.d/x-ca.conf }')
      const { outcome } = await it.apply()
      expect(outcome, outcome.message).toMatchObject({ outcome: 'applied' })
      expect([CA_FILE, DROP_IN].filter(path => it.host.exists(path))).toEqual([])
      expect(it.host.exists('/var/lib/pomerium')).toBe(false)
      expect(await accepted(second)).toBe(true)
      expect((await it.apply()).outcome.outcome).toBe('unchanged')
    })

    test('a setting that was changed and never applied hides nothing from remove', async () => {
      await config('')
      expect(await remove()).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
      const places = ['/opt/ca/keys.pub', '/etc/ssh/sshd_config.d/x-ca.conf', CA_FILE, DROP_IN]
      expect(places.filter(path => it.host.exists(path))).toEqual([])
      expect(await accepted(second)).toBe(false)
    })

    test('what can’t be given back is named, with an exit code; and the next remove tries again', async () => {
      expect(await it.apply()).toMatchObject({ code: 0 })
      await sh(`mv ${CA_FILE} /root/kept; ln -s /root/kept ${CA_FILE}`)
      expect(await remove()).toMatchObject({
        code: 5,
        outcome: { code: 'not-given-back', message: expect.stringContaining(CA_FILE) },
      })
      expect(it.host.exists(DROP_IN)).toBe(false)
      expect(await accepted(second)).toBe(false)
      expect(await remove()).toMatchObject({ code: 5 })
      await sh(`rm ${CA_FILE}`)
      expect(await remove()).toMatchObject({ code: 0 })
    })

    test.each(
      shareOf(suite, [
        ['a typo', `echo 'sshd: { ca_fil: x' >>${CONFIG}`, {}],
        ['no file at all', `rm ${CONFIG}`, {}],
        ['a folder', `rm ${CONFIG}; mkdir ${CONFIG}`, {}],
        ['open to others', `chmod 666 ${CONFIG}`, {}],
        [
          'a wrong variable',
          'true',
          { POMERIUM_HOST_AGENT_SSHD_CONFLICT: 'maybe', POMERIUM_HOST_AGENT_X: '1' },
        ],
      ] as const),
    )('a config that can’t be read keeps nobody from removing: %s', async (what, damage, env) => {
      await sh(`cp -np ${CONFIG} /root/config; rm -rf ${CONFIG}; cp -p /root/config ${CONFIG}`)
      await config('sshd: { ca_file: /opt/ca/keys.pub }')
      expect(await it.apply()).toMatchObject({ code: 0 })
      await sh(damage)
      expect(await remove(env)).toMatchObject({
        code: 0,
        outcome: { outcome: 'applied' },
        stderr: what === 'no file at all' ? '' : expect.stringContaining('the record is gone by'),
      })
      expect(it.host.exists('/opt/ca/keys.pub')).toBe(false)
      expect(await accepted(second)).toBe(false)
      await sh(`rm -rf ${CONFIG}; cp -p /root/config ${CONFIG}`)
    })

    test('remove lasts, over a wake of the service and a boot, until the next apply', async () => {
      const active = async () =>
        (await sh(`systemctl is-active ${OUR_UNITS.join(' ')}`)).stdout.trim().split('\n')
      const enabled = async () =>
        (await sh(`systemctl is-enabled ${OUR_UNITS.join(' ')}`)).stdout.trim().split('\n')
      const all = (word: string) => OUR_UNITS.map(() => word)
      expect(await it.apply()).toMatchObject({ code: 0 })
      expect(await active()).toEqual(all('active'))
      expect(await remove()).toMatchObject({ code: 0 })
      expect(await active()).toEqual(all('inactive'))
      expect(await enabled()).toEqual(all('disabled'))
      expect([await verdict(), await verdict('alice')]).toEqual(['removed', 'removed'])
      await poll(it)
      expect(it.host.exists(CA_FILE)).toBe(false)
      expect(await verdict()).toBe('removed')
      expect((await it.agent('repair')).code).toBe(5)
      await it.host.reboot()
      expect(await active()).toEqual(all('inactive'))
      expect(await verdict()).toBe('removed')
      const { stdout } = await it.agent('status')
      expect(stdout).toMatch(
        /^removed: nothing of ours is on this host, until apply or configure\n/,
      )
      await it.stopControlPlane()
      await it.startControlPlane()
      expect(await it.apply()).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
      expect(await active()).toEqual(all('active'))
      expect(await enabled()).toEqual(all('enabled'))
      // It is boot's alone: with the ten seconds that it has, a busy host would make a failure of it.
      const started = 'systemctl show --value -p ExecMainStartTimestampMonotonic'
      expect((await sh(`${started} ${BOOT_SERVICE}`)).stdout.trim()).toBe('0')
      expect(await accepted(second)).toBe(true)
      expect(await verdict()).toBe('in-force')
    })

    test('a repair that is stopped ends what it has begun, and nobody waits for it in vain', async () => {
      const waits = async () => (await sh('pgrep -fc "^flock --exclusive --wait 60"')).code === 0
      await sh(`systemctl stop ${OUR_UNITS.join(' ')}; chmod 644 ${CA_FILE}`)
      const holds = it.host.spawn(['flock', '/var/lib/pomerium-host-agent/lock', 'sleep', '4'])
      await sh('systemctl start --no-block pomerium-host-agent-repair.service')
      await it.host.waitFor('the repair to wait for the lock', waits)
      await it.host.exec('systemctl stop pomerium-host-agent-repair.service')
      await holds.done
      expect((await it.host.stat(CA_FILE)).mode).toBe('0600')
      await sh(`systemctl start ${OUR_UNITS.join(' ')}`)
    })

    test.each(shareOf(suite, DAMAGE))(
      'a damaged state refuses the host, and status says it: %s',
      async (_, damage) => {
        await sh(`systemctl stop ${OUR_UNITS.join(' ')}; cp ${STATE} /root/state`)
        await it.host.exec(
          ['sh', '-c', damage, 'sh', STATE].map(word => word.replaceAll('$1', STATE)),
        )
        const { code, stdout, stderr } = await it.agent('apply', '--json')
        expect({ stderr, ...JSON.parse(stdout) }).toMatchObject({
          stderr: '',
          code: 'state-damaged',
          outcome: 'host-refused',
          message: expect.stringContaining(`sudo mv ${STATE}`),
          trusted: [{ fingerprint: second.fingerprint }],
        })
        expect(code).toBe(5)
        expect(await verdict()).toBe('state-damaged')
        await sh(`rm -rf ${STATE}; cp /root/state ${STATE}`)
      },
    )

    test('a damaged state: the socket’s answer is that outcome, and no failed service', async () => {
      await sh(`systemctl start ${OUR_UNITS.join(' ')}; echo '{"repairs":[null]}' >${STATE}`)
      await sh('rm /run/pomerium-host-agent/status.json')
      await poll(it)
      expect(await verdict('alice')).toBe('state-damaged')
      for (const command of ['plan', 'repair']) expect((await it.agent(command)).code).toBe(5)
      expect(await accepted(second)).toBe(true)
      expect((await sh('systemctl --failed --no-legend | grep pomerium')).stdout).toBe('')
    })

    test('remove with a damaged state takes off what can be found, and says what may be left', async () => {
      expect(await remove()).toMatchObject({
        code: 5,
        outcome: { code: 'state-damaged', message: expect.stringContaining('may be left') },
      })
      expect([CA_FILE, DROP_IN].filter(path => it.host.exists(path))).toEqual([])
      expect(await accepted(second)).toBe(false)
      expect(await remove()).toMatchObject({ code: 0, outcome: { outcome: 'unchanged' } })
    })

    test.each(
      shareOf(suite, [
        ['journal.json', 5, 7],
        ['restarts.json', 0, 0],
        ['stood-down.json', 5, 5],
      ] as const),
    )('damaged %s: an outcome, and never exit 1', async (name, _, wanted) => {
      const path = `/var/lib/pomerium-host-agent/${name}`
      for (const damage of [
        '[]',
        '{"version":1,"undo":[null],"restarts":"x","total":"y","limit":7}',
        '',
      ]) {
        await it.host.write(path, damage)
        const { code } = await it.apply()
        expect({ damage, code }).toEqual({ damage, code: wanted })
        await sh(`rm -rf ${path}; mkdir ${path}`)
        expect({ damage: 'a folder', code: (await it.apply()).code }).toEqual({
          damage: 'a folder',
          code: wanted,
        })
        await sh(`rm -rf ${path}`)
      }
      expect((await it.apply()).code).toBe(0)
    })
  })
})

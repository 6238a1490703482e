// What would shut out Pomerium's address, and with it everybody: sshd itself, fail2ban, sshguard; seen by
// logins from two addresses of which one is Pomerium's.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PrintedStatus } from '../../../agent/cli/host/render-status.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, type Certificate, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import { addAddress, login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { DROP_IN } from '../hosts/agent-host.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'
import { readRecipe } from '../recipes/recipe.ts'

const POMERIUM = '203.0.113.7'
const ANOTHER = '198.51.100.7'
const KEYWORD = 'PerSourcePenaltyExemptList'
const TEN = '/etc/ssh/sshd_config.d/10-site.conf'
const FROM = 'sshd: { exempt_from_penalties: [203.0.113.0/24, 2001:db8::/32] }\n'
const FAILURES = 50
const RECIPE = readRecipe('fail2ban')

interface Row {
  name: string
  suites?: readonly Suite[]
  packages?: readonly string[]
  run(it: Bench): Promise<void>
}

/** A host that trusts one CA, and the certificate of somebody else's. */
interface Bench extends Omit<ProvisionerHost, typeof Symbol.asyncDispose> {
  ca: Ca
  stranger: Certificate
  status(): Promise<PrintedStatus>
}

const good = async ({ host, ca }: Bench, from: string) => (await login(host, { ca, from })).outcome

/** By no user of the host: a wrong key alone is no failure to fail2ban. */
async function fail({ host, stranger }: Bench, from: string, times: number) {
  const attempt = { certificate: stranger, user: 'mallory', from }
  for (let each = 0; each < times; each += 10) {
    const tries = Array.from({ length: 10 }, () => login(host, attempt))
    expect((await Promise.all(tries)).map(({ outcome }) => outcome)).not.toContain('accepted')
  }
}

const codes = async (it: Bench) => (await it.status()).findings.map(({ code }) => code)

/** What `plan` and `status` say with this code, and have written. */
async function told(it: Bench, code: string) {
  const { warnings = [] } = JSON.parse((await it.agent('plan', '--json')).stdout)
  const finding = (await it.status()).findings.find(each => each.code === code)
  const warning = (warnings as string[]).find(each => each.startsWith(`${code}: `))
  const lines = (finding?.write ?? []).map(line => `${line}\n`).join('')
  expect(warning?.split('\n').slice(1)).toEqual(finding?.write)
  return { headline: finding?.headline, lines }
}

const effective = async ({ host }: Bench, keyword: string) =>
  (await host.exec('sshd -T')).stdout
    .split('\n')
    .find(line => line.toLowerCase().startsWith(`${keyword.toLowerCase()} `))

const ROWS: readonly Row[] = [
  {
    name: 'sshd shuts out an address after 50 failed logins, and never Pomerium’s',
    suites: ['trixie'],
    async run(it) {
      await it.configure(FROM)
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ code: 0 })
      expect(await it.host.read(DROP_IN)).toContain(`\n${KEYWORD} 203.0.113.0/24,2001:db8::/32\n`)
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ outcome: { outcome: 'unchanged' } })
      await fail(it, POMERIUM, FAILURES)
      // For a while only, which must not be over by now.
      await fail(it, ANOTHER, 20)
      expect(await good(it, POMERIUM)).toBe('accepted')
      expect(await good(it, ANOTHER)).not.toBe('accepted')
      expect(await codes(it)).not.toContain('not-exempt')

      // By accept_from alone, and then by nothing.
      await it.configure('sshd: { accept_from: [203.0.113.7] }\n')
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ outcome: { outcome: 'applied' } })
      expect(await effective(it, KEYWORD)).toMatch(/ 203\.0\.113\.7$/)
      await it.configure()
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ outcome: { outcome: 'applied' } })
      expect(await effective(it, KEYWORD)).toMatch(/ none$/)
    },
  },
  {
    name: 'an administrator’s own list stays, and what it lacks is said until it is written',
    suites: ['trixie'],
    async run(it) {
      const before = await it.host.snapshot('/etc/ssh')
      await it.configure(FROM)
      await it.host.write(TEN, `# ours\n${KEYWORD} 10.0.0.0/8,!2001:db8::/48\n`)
      const { outcome } = await it.apply(it.ca.publicKey)
      expect(outcome).toMatchObject({
        outcome: 'applied',
        warnings: [expect.stringMatching(`^not-exempt: .*203.0.113.0/24.*${TEN}:2`)],
      })
      expect(await it.host.read(DROP_IN)).not.toContain(KEYWORD)
      const { headline, lines } = await told(it, 'not-exempt')
      expect(headline).toContain(`${TEN}:2`)
      expect(await codes(it)).toContain('not-exempt')
      await it.host.write(TEN, lines)
      expect(await effective(it, KEYWORD)).toMatch(
        / 10\.0\.0\.0\/8,203\.0\.113\.0\/24,2001:db8::\/32$/,
      )
      expect(await told(it, 'not-exempt')).toEqual({ headline: undefined, lines: '' })
      const after = (await it.apply(it.ca.publicKey)).outcome
      expect(after).toMatchObject({ outcome: 'unchanged', steps: [] })
      expect(after.warnings).toBeUndefined()

      // Theirs gone, ours comes; and goes by remove.
      await it.host.exec(`rm ${TEN}`)
      expect((await it.apply(it.ca.publicKey)).outcome.outcome).toBe('applied')
      expect(await effective(it, KEYWORD)).toMatch(/ 203\.0\.113\.0\/24,2001:db8::\/32$/)
      expect((await it.agent('remove')).code).toBe(0)
      expect(await it.host.snapshot('/etc/ssh')).toEqual(before)
    },
  },
  {
    name: 'where our drop-in is read within a Match too, no list stands in it, and that is said',
    suites: ['trixie'],
    async run(it) {
      const main = '/etc/ssh/sshd_config'
      const text = await it.host.read(main)
      await it.host.write(main, `${text}\nMatch User bob\nInclude ${DROP_IN}\n`)
      await it.configure(FROM)
      const { code, outcome } = await it.apply(it.ca.publicKey)
      expect({ code, warnings: outcome.warnings }).toMatchObject({
        code: 0,
        warnings: [expect.stringMatching(`^not-exempt: .*${DROP_IN}`)],
      })
      const { lines } = await told(it, 'not-exempt')
      await it.host.write(main, `${lines}${text}\nMatch User bob\nInclude ${DROP_IN}\n`)
      expect(await codes(it)).not.toContain('not-exempt')
    },
  },
  {
    name: 'an sshd that does not know the list is not given one',
    suites: ['bullseye', 'bookworm'],
    async run(it) {
      await it.configure(FROM)
      const { code, outcome } = await it.apply(it.ca.publicKey)
      expect(code).toBe(0)
      expect(outcome.warnings).toBeUndefined()
      expect(await it.host.read(DROP_IN)).not.toContain(KEYWORD)
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ outcome: { outcome: 'unchanged' } })
      expect(await codes(it)).not.toContain('not-exempt')
    },
  },
  {
    name: 'fail2ban shuts out an address after 50 failed logins, and with its line never Pomerium’s',
    packages: ['fail2ban', 'nftables', 'python3-systemd'],
    async run(it) {
      const [jail, reload] = RECIPE.steps.slice(-2)
      if (jail?.do !== 'lay' || reload?.do !== 'run') throw new Error('the recipe has changed')
      // Debian 11 and 12 have it read a log that their hosts may not have, and these know no name of a port.
      // Both addresses are this host's own.
      await it.host.write(
        '/etc/fail2ban/jail.d/site.conf',
        '[DEFAULT]\nbanaction = nftables\nignoreself = false\n[sshd]\nenabled = true\nport = 22\nbackend = systemd\n',
      )
      const ask = (what: string) => it.host.exec(`fail2ban-client ${what}`, { allowFail: true })
      const banned = async () => (await ask('get sshd banip')).stdout
      const isUp = async () => (await ask('ping')).code === 0
      await it.host.exec('systemctl restart fail2ban')
      await it.host.waitFor('fail2ban', isUp)
      await it.configure('sshd: { exempt_from_penalties: [203.0.113.0/24] }\n')
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ code: 0 })
      const { headline, lines } = await told(it, 'fail2ban-bans')
      expect(headline).toMatch(/fail2ban \(sshd\) shut out 203\.0\.113\.0\/24/)
      expect(lines).toBe(jail.text)
      await it.host.write(jail.path, jail.text)
      // Not by the file, but by what is in force.
      expect(await codes(it)).toContain('fail2ban-bans')
      await it.host.exec(reload.script)
      await it.host.waitFor('fail2ban', isUp)
      expect(await codes(it)).not.toContain('fail2ban-bans')
      await fail(it, POMERIUM, FAILURES)
      await fail(it, ANOTHER, 10)
      await it.host.waitFor('the ban', async () => (await banned()).includes(ANOTHER), 20_000)
      expect(await banned()).not.toContain(POMERIUM)
      expect(await good(it, POMERIUM)).toBe('accepted')
      // It is listed before its rule is in force.
      const isShutOut = async () => (await good(it, ANOTHER)) !== 'accepted'
      await it.host.waitFor('the other address to be shut out', isShutOut, 20_000)
    },
  },
  {
    name: 'sshguard is said to ban Pomerium until the lines are in its whitelist',
    // Debian 11 has none.
    suites: ['bookworm', 'trixie'],
    packages: ['sshguard', 'nftables'],
    async run(it) {
      await it.configure(FROM)
      expect(await it.apply(it.ca.publicKey)).toMatchObject({ code: 0 })
      const { headline, lines } = await told(it, 'sshguard-bans')
      expect(headline).toContain('sshguard shut out 203.0.113.0/24, 2001:db8::/32')
      await it.host.exec(`cat >>/etc/sshguard/whitelist <<'END'\n${lines}END`)
      await it.host.exec('systemctl restart sshguard')
      expect(await codes(it)).not.toContain('sshguard-bans')
    },
  },
  {
    name: 'too few logins at a time: by number and line, until the line is written',
    async run(it) {
      // PerSourceMaxStartups came with 8.5.
      const knows = (await effective(it, 'PerSourceMaxStartups')) !== undefined
      const lines = ['MaxStartups 3:50:5', ...(knows ? ['PerSourceMaxStartups 2'] : [])]
      await it.host.write(TEN, `${lines.join('\n')}\n`)
      const { outcome } = await it.apply(it.ca.publicKey)
      const says = [`3:50:5, by ${TEN}:1`, ...(knows ? [`is 2, by ${TEN}:2`] : [])]
      expect(outcome.warnings).toEqual(
        says.map(each => expect.stringMatching(`^few-startups: .*${each}`)),
      )
      const found = (await it.status()).findings.filter(({ code }) => code === 'few-startups')
      expect(found).toHaveLength(says.length)
      const write = found.flatMap(each => each.write ?? [])
      await it.host.write(TEN, `${write.join('\n')}\n`)
      expect(await codes(it)).not.toContain('few-startups')
    },
  },
]

describeTier('what bans Pomerium', machineTier(), () => {
  describe.each(suites)('%s', suite => {
    // A host for all rows with the same packages.
    const hosts = new Map<string, ProvisionerHost>()
    let ca: Ca
    let stranger: Certificate
    beforeAll(async () => {
      ca = await makeCa()
      await using other = await makeCa()
      stranger = await other.issue()
    })
    afterAll(async () => {
      for (const it of hosts.values()) await it[Symbol.asyncDispose]()
      await ca?.[Symbol.asyncDispose]()
    })

    test.each(shareOf(suite, ROWS, row => row.suites ?? suites))(
      '$name',
      async ({ run, packages = [] }) => {
        const key = packages.join()
        const used = hosts.get(key)
        if (used !== undefined) await makeAsNew(used)
        const it = used ?? (await boot(suite, packages))
        hosts.set(key, it)
        const status = async () => JSON.parse((await it.agent('status', '--json')).stdout)
        await run({ ...it, ca, stranger, status })
      },
    )
  })
})

async function boot(suite: Suite, packages: readonly string[]): Promise<ProvisionerHost> {
  const it = await bootProvisionerHost({ suite, packages })
  for (const address of [POMERIUM, ANOTHER]) await addAddress(it.host, address)
  await it.host.exec('cp -a /etc/ssh /srv/ssh')
  return it
}

async function makeAsNew({ agent, host, configure }: ProvisionerHost): Promise<void> {
  await agent('remove')
  await host.exec('rm -r /etc/ssh && cp -a /srv/ssh /etc/ssh && systemctl restart ssh')
  await configure()
}

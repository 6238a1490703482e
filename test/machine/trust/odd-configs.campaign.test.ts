// What sshd makes of odd lines, bytes and files, seen by real logins; and what the agent says of them.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Ca, type Certificate, makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { shareOf } from '../harness/share.ts'
import { bootProvisionerHost, type ProvisionerHost } from '../hosts/provisioner-host.ts'

const MAIN = '/etc/ssh/sshd_config'
const FOLDER = '/etc/ssh/sshd_config.d'
const TEN = `${FOLDER}/10-site.conf`
const OTHER = '/etc/another-owner/ca.pub'
const NO_INCLUDE = `sed -i '/^Include/d' ${MAIN}`

/** A line laid where our CA is trusted: what it does to alice's login, and what `apply` says. */
interface Line {
  name: string
  /** By sh, before sshd is started anew. */
  setup: string
  suites?: readonly Suite[]
  alice: 'accepted' | 'refused'
  /** Of `apply`: refused with this code; or else it is well. */
  code?: string
  /** In the message, or in a warning. */
  says?: string[]
}

const ten = (...lines: string[]) => `printf '${lines.map(line => `${line}\\n`).join('')}' >${TEN}`
const forAlice = (line: string) => ten('Match User alice', `  ${line}`)
const bad = (name: string, make: string, says: string) => ({ name, make, says })

const BAD_LISTS = [
  bad('a folder', 'mkdir /etc/ssh/revoked', 'is a folder'),
  bad('a dangling link', 'ln -s gone /etc/ssh/revoked', 'is missing'),
  bad('a link to itself', 'ln -s revoked /etc/ssh/revoked', 'is a link that leads back to itself'),
  bad('garbage', 'echo garbage >/etc/ssh/revoked', 'is no list of keys at line 1'),
  bad(
    'a list with one bad line',
    '(cat /etc/ssh/ssh_host_ecdsa_key.pub; echo; echo "# one"; echo ssh-ed25519 AAAA) >/etc/ssh/revoked',
    'is no list of keys at line 4',
  ),
  bad(
    'a truncated KRL',
    'ssh-keygen -k -f /etc/ssh/revoked /etc/ssh/ssh_host_ecdsa_key.pub && truncate -s -5 /etc/ssh/revoked',
    'is a damaged list (KRL)',
  ),
]

const GOOD_LISTS = [
  bad('an empty file', ': >/etc/ssh/revoked', ''),
  bad('/dev/null', 'ln -s /dev/null /etc/ssh/revoked', ''),
  bad('keys', 'cat /etc/ssh/ssh_host_e*.pub >/etc/ssh/revoked', ''),
  bad('a KRL', 'ssh-keygen -k -f /etc/ssh/revoked /etc/ssh/ssh_host_ecdsa_key.pub', ''),
]

const LINES: readonly Line[] = [
  ...BAD_LISTS.flatMap(({ name, make, says }): Line[] => [
    {
      name: `RevokedKeys that names ${name}`,
      setup: `${make}; ${ten('', 'RevokedKeys /etc/ssh/revoked')}`,
      alice: 'refused',
      code: says === 'is missing' ? 'revoked-keys-missing' : 'revoked-keys-unreadable',
      says: [`${TEN}:2`, '/etc/ssh/revoked', says],
    },
    {
      name: `RevokedKeys that names ${name}, for alice`,
      setup: `${make}; ${forAlice('RevokedKeys /etc/ssh/revoked')}`,
      alice: 'refused',
      says: [`${TEN}:2: no key logs in where Match User alice`, says],
    },
  ]),
  ...GOOD_LISTS.map(({ name, make }): Line => {
    const line = 'RevokedKeys /etc/ssh/revoked'
    const setup = `${make}; ${ten(line, 'Match User alice', line)}`
    return { name: `RevokedKeys that names ${name}`, setup, alice: 'accepted' }
  }),
  { name: 'RevokedKeys none', setup: ten('RevokedKeys none'), alice: 'accepted' },
  {
    name: 'RevokedKeys none for alice',
    setup: forAlice('RevokedKeys none'),
    alice: 'refused',
    says: [`${TEN}:2: no key logs in where Match User alice`, '/none, which is missing'],
  },
  {
    name: 'RevokedKeys none in Match all',
    setup: ten('Match all', 'RevokedKeys none'),
    alice: 'refused',
    code: 'revoked-keys-missing',
    says: [`${TEN}:2`],
  },
  {
    name: 'TrustedUserCAKeys none for alice',
    setup: forAlice('TrustedUserCAKeys none'),
    alice: 'refused',
    says: [`${TEN}:2: no certificate logs in where Match User alice`],
  },
  {
    name: 'AuthorizedPrincipalsFile none',
    setup: ten('AuthorizedPrincipalsFile none'),
    alice: 'accepted',
  },
  {
    name: 'AuthorizedPrincipalsFile none for alice',
    setup: forAlice('AuthorizedPrincipalsFile none'),
    alice: 'refused',
    says: [`${TEN}:2: no certificate logs in where Match User alice`],
  },
  {
    name: 'AuthorizedPrincipalsFile none in Match all',
    setup: ten('Match all', 'AuthorizedPrincipalsFile none'),
    alice: 'refused',
    code: 'no-principals',
    says: [`${TEN}:2`, 'AuthorizedPrincipalsFile'],
  },
  {
    name: 'AuthorizedPrincipalsCommand none',
    setup: ten('', 'AuthorizedPrincipalsCommand none'),
    alice: 'refused',
    code: 'no-principals',
    says: [`${TEN}:2`, 'AuthorizedPrincipalsCommand'],
  },
  {
    name: 'AuthorizedPrincipalsCommand none for alice',
    setup: forAlice('AuthorizedPrincipalsCommand none'),
    alice: 'refused',
    says: [`${TEN}:2: no certificate logs in where Match User alice`],
  },
]

/** A host that does not know us yet: `apply` ends so, and `remove` gives back every byte. */
interface Tree {
  name: string
  setup: string
  suites?: readonly Suite[]
  /** Refused with this code; or else it is applied. */
  code?: string
  says?: string[]
  /** Prints nothing where it is so after `apply`. */
  afterwards?: string
}

const DENY = `printf 'DenyUsers m\\374ller\\n' >>${MAIN}`
const DENIED = `sshd -T | grep -aqxF "$(printf 'denyusers m\\374ller')" || echo he gets in`
const zero = (name: string) => `"$(printf '${FOLDER}/${name}')"`

const TREES: readonly Tree[] = [
  { name: 'Latin-1, and no Include', setup: `${NO_INCLUDE}; ${DENY}`, afterwards: DENIED },
  { name: 'Latin-1, and an Include', setup: DENY, afterwards: DENIED },
  {
    name: 'a drop-in whose name is Latin-1',
    setup: `printf '\\nTrustedUserCAKeys ${OTHER}\\n' >${zero('00-\\374.conf')}`,
    code: 'foreign-ca',
    says: [`${FOLDER}/00-\\xfc.conf:2`],
  },
  {
    name: 'a drop-in whose name is Latin-1, and harmless',
    setup: `echo 'PrintMotd no' >${zero('00-\\374.conf')}`,
  },
  {
    name: 'a NUL that joins two lines',
    setup: `printf 'Trusted\\0 lost\\n  UserCAKeys ${OTHER}\\n' >${TEN}`,
    code: 'foreign-ca',
    says: [`${TEN}:1`, OTHER],
  },
  {
    name: '# within a word',
    setup: `printf 'TrustedUserCAKeys ${OTHER}#z\\n' >${TEN}`,
    code: 'foreign-ca',
    says: [`${TEN}:1`, OTHER],
  },
  {
    name: 'a quote that closes within a word, as 8.4 reads it',
    suites: ['bullseye'],
    setup: `printf 'TrustedUserCAKeys "/etc/another-owner"/ca.pub\\n' >${TEN}; printf 'TrustedUserCAKeys /etc/another"-owner/ca.pub"#z"\\n' >${TEN}`,
    code: 'foreign-ca',
    says: [`${TEN}:1`, OTHER],
  },
  {
    name: 'a line that we do not find: sshd’s own word counts',
    setup: `mkdir -p '/~'; echo 'TrustedUserCAKeys ${OTHER}' >'/~/x.conf'; sed -i '1i Include ~/x.conf' ${MAIN}`,
    code: 'unexplained-ca',
    says: [OTHER],
  },
  {
    name: 'a looping link',
    setup: `ln -s 00-loop.conf ${FOLDER}/00-loop.conf`,
    code: 'sshd-config-broken',
    says: ['00-loop.conf'],
  },
  {
    name: 'a looping folder',
    setup: `ln -s loop /etc/ssh/loop; echo 'Include loop/*.conf' >${TEN}`,
  },
  { name: 'a name over 255 bytes', setup: `echo "Include $(printf %0300d 1)" >${TEN}` },
  { name: 'a file where a folder is named', setup: `echo 'Include ${MAIN}/x.conf' >${TEN}` },
  { name: 'a NUL in a path', setup: `printf 'Include /etc/ssh/a\\0b\\n' >${TEN}` },
  { name: 'a drop-in linked to /dev/null', setup: `ln -s /dev/null ${TEN}` },
  { name: 'a folder as drop-in', setup: `mkdir ${TEN}` },
  {
    name: 'a pipe as drop-in',
    setup: `mkfifo ${TEN}`,
    code: 'sshd-config-broken',
    says: [TEN, 'pipe'],
  },
  {
    name: '/dev/zero as drop-in',
    setup: `ln -s /dev/zero ${TEN}`,
    code: 'sshd-config-broken',
    says: [TEN, 'device'],
  },
]

describe.each(suites)('odd configurations on %s', suite => {
  describeTier('with real logins', machineTier(), () => {
    let it: ProvisionerHost
    let ca: Ca
    let certificate: Certificate
    let rootsCertificate: Certificate

    beforeAll(async () => {
      ca = await makeCa()
      certificate = await ca.issue()
      rootsCertificate = await ca.issue({ principals: ['root'] })
      it = await bootProvisionerHost({ suite })
      await it.host.write('/srv/bundle', `${ca.publicKey}\n`)
      await it.host.write(OTHER, 'nobody needs this key\n')
      await it.host.exec('cp -a /etc/ssh /root/bare')
      expect((await it.agent('apply')).code).toBe(0)
      await it.host.exec('cp -a /etc/ssh /root/ours')
    })
    afterAll(async () => {
      await it?.host.stop()
      await ca?.[Symbol.asyncDispose]()
    })

    const go = (line: string) => it.host.exec(line)
    const from = (saved: string) => go(`rm -rf /etc/ssh; cp -a /root/${saved} /etc/ssh`)
    // The start limit is not what this is about.
    const restart = () => go('systemctl reset-failed ssh; systemctl restart ssh')
    const apply = async () => {
      const { code, stdout, stderr } = await it.agent('apply', '--json')
      return { exit: code, stderr, ...(stdout === '' ? {} : JSON.parse(stdout)) }
    }
    const bytes = async () =>
      (
        await go(
          'tar -C /etc/ssh --sort=name --format=pax --pax-option=delete=atime,delete=ctime,delete=mtime --mtime=@0 -c . | sha256sum',
        )
      ).stdout

    const here = <T extends { suites?: readonly Suite[] }>(all: readonly T[]) =>
      shareOf(suite, all, row => row.suites ?? suites)

    test.each(here(LINES))('$name: $alice', async ({ setup, alice, code, says = [] }) => {
      await from('ours')
      await go(setup)
      await restart()
      expect((await login(it.host, { certificate })).outcome).toBe(alice)
      if (alice === 'refused' && code === undefined) {
        const root = await login(it.host, { certificate: rootsCertificate, user: 'root' })
        expect(root.outcome).toBe('accepted')
      }
      const ended = await apply()
      expect(ended).toMatchObject(
        code === undefined
          ? { exit: 0, outcome: 'unchanged' }
          : { exit: 5, outcome: 'host-refused', code },
      )
      const said = [ended.message, ...(ended.warnings ?? [])].join('\n')
      for (const word of says) expect(said).toContain(word)
      if (says.length === 0) expect(ended.warnings).toBeUndefined()
    })

    test.each(here(TREES))('$name: $code', async ({ setup, code, says = [], afterwards }) => {
      await from('ours')
      expect((await it.agent('remove')).code).toBe(0)
      await from('bare')
      await go(setup)
      const before = await bytes()
      const ended = await apply()
      if (code !== undefined) {
        expect(ended).toMatchObject({ exit: 5, outcome: 'host-refused', code })
        for (const word of says) expect(ended.message).toContain(word)
        expect(await bytes()).toBe(before)
        return
      }
      expect(ended).toMatchObject({ exit: 0, outcome: 'applied' })
      await restart()
      expect((await login(it.host, { certificate })).outcome).toBe('accepted')
      if (afterwards !== undefined) expect((await go(afterwards)).stdout).toBe('')
      expect(await apply()).toMatchObject({ exit: 0, outcome: 'unchanged', steps: [] })
      expect((await it.agent('remove')).code).toBe(0)
      expect(await bytes()).toBe(before)
    })

    test('killed on the way, a file that is not UTF-8 comes back byte for byte', async () => {
      await from('ours')
      expect((await it.agent('remove')).code).toBe(0)
      await from('bare')
      await go(`${NO_INCLUDE}; ${DENY}`)
      const before = await bytes()
      const bundle = `${ca.publicKey}\n`
      // After sshd's main file was written, and before the end.
      await it.kill({ op: 'provision', bundle, killAt: 10 })
      expect(await bytes()).not.toBe(before)
      await it.run({ op: 'remove' })
      expect(await bytes()).toBe(before)
    })

    test('in a tree, an absolute link leads to a place in the tree', async () => {
      await go(`mkdir -p /srv/tree/etc/ssh/sshd_config.d /srv/tree/etc/real /srv/tree/srv
        mkdir -p /srv/tree/var/lib /srv/tree/run; cp /srv/bundle /srv/tree/srv/
        cp -a /etc/pomerium /srv/tree/etc/
        echo 'Include ${FOLDER}/*.conf' >/srv/tree${MAIN}
        echo 'TrustedUserCAKeys ${OTHER}' >/srv/tree/etc/real/foreign
        ln -s /etc/real/foreign /srv/tree${TEN}`)
      const plan = await it.agent('apply', '--root', '/srv/tree', '--json')
      expect(JSON.parse(plan.stdout)).toMatchObject({ code: 'foreign-ca' })
      // Nor is anything written to where the link leads here.
      await go(
        `rm /srv/tree${TEN}; mv /srv/tree/etc/ssh /srv/tree/etc/moved; ln -s /etc/moved /srv/tree/etc/ssh`,
      )
      const before = await bytes()
      expect((await it.agent('apply', '--root', '/srv/tree')).code).toBe(0)
      expect(await bytes()).toBe(before)
      expect((await go('ls /srv/tree/etc/moved/sshd_config.d')).stdout).toBe('pomerium-ca.conf\n')
    })
  })
})

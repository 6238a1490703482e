// What else in sshd's configuration decides whether a certificate logs anyone in.

import { CA_FILE } from '../hosts/agent-host.ts'
import {
  append,
  FOLDER,
  MAIN,
  OTHER_CA,
  place,
  proved,
  refused,
  type Shape,
  type Standing,
  withoutInclude,
} from './shape.ts'

const TEN = `${FOLDER}/10-site.conf`
const dropIn = (...lines: string[]) => ({ [TEN]: lines.map(line => `${line}\n`).join('') })
const PLAIN_KEYS = 'ssh-ed25519,rsa-sha2-512,rsa-sha2-256'
const RSA_ONLY = 'CASignatureAlgorithms rsa-sha2-512,rsa-sha2-256'

const KEYS: readonly Shape[] = [
  {
    name: 'broken before us, in another drop-in',
    // Laid after the boot: sshd runs on what it read then.
    run: `printf 'PrintMotd no\\nBogusOption yes\\n' >${TEN}`,
    ends: refused('sshd-config-broken', `${TEN}: line 2:`, 'BogusOption'),
  },
  {
    name: 'broken before us, by a value in sshd_config',
    run: `printf 'Port twenty-two\\nInclude ${FOLDER}/*.conf\\n' >${MAIN}`,
    ends: refused('sshd-config-broken', `${MAIN} line 1:`, 'port'),
  },
  {
    name: 'PubkeyAuthentication no in sshd_config',
    files: { [MAIN]: () => `Include ${FOLDER}/*.conf\nUsePAM yes\npubkeyauthentication no\n` },
    ends: refused('pubkey-authentication-off', place(MAIN, 3)),
  },
  {
    name: 'PubkeyAuthentication no in a drop-in',
    files: dropIn('# no keys here', 'PubkeyAuthentication=no', 'PasswordAuthentication yes'),
    ends: refused('pubkey-authentication-off', place(TEN, 2)),
  },
  {
    name: 'PubkeyAuthentication no for everybody, in Match all',
    files: dropIn('Match all', '  PubkeyAuthentication no'),
    ends: refused('pubkey-authentication-off', place(TEN, 2)),
  },
  {
    name: 'PubkeyAcceptedKeyTypes without certificates',
    files: dropIn(`PubkeyAcceptedKeyTypes ${PLAIN_KEYS}`),
    ends: refused('certificates-not-accepted', place(TEN, 1)),
  },
  {
    name: 'PubkeyAcceptedAlgorithms without certificates',
    suites: ['bookworm', 'trixie'],
    files: { [MAIN]: () => `Include ${FOLDER}/*.conf\nPubkeyAcceptedAlgorithms -*cert*\n` },
    ends: refused('certificates-not-accepted', place(MAIN, 2)),
  },
  {
    name: 'CASignatureAlgorithms without ours',
    files: dropIn('', RSA_ONLY),
    ends: refused('ca-type-not-accepted', place(TEN, 2), 'ssh-ed25519'),
  },
  {
    name: 'CASignatureAlgorithms that leave ours out by a minus',
    files: dropIn('CASignatureAlgorithms -ecdsa*'),
    ca: 'ecdsa',
    ends: refused('ca-type-not-accepted', place(TEN, 1), 'ecdsa-sha2-nistp256'),
  },
  {
    name: 'CASignatureAlgorithms for RSA, and an RSA CA',
    files: dropIn(RSA_ONLY),
    ca: 'rsa',
    ends: proved(),
  },
  {
    name: 'RevokedKeys that names a missing file',
    files: dropIn('PrintMotd no', 'RevokedKeys /etc/ssh/revoked_keys'),
    ends: refused('revoked-keys-missing', place(TEN, 2), '/etc/ssh/revoked_keys'),
  },
  {
    name: 'RevokedKeys that names an empty file',
    files: { ...dropIn('RevokedKeys /etc/ssh/revoked_keys'), '/etc/ssh/revoked_keys': '' },
    ends: proved(),
  },
]

const PRINCIPALS: readonly Shape[] = [
  {
    name: 'AuthorizedPrincipalsFile that lists alice',
    files: {
      ...dropIn('AuthorizedPrincipalsFile /etc/ssh/principals/%u'),
      '/etc/ssh/principals/alice': 'root\nalice\n',
    },
    ends: proved({ warns: [`${place(TEN, 1)}: .*AuthorizedPrincipalsFile`] }),
  },
  {
    name: 'AuthorizedPrincipalsCommand that names alice',
    files: dropIn(
      'AuthorizedPrincipalsCommand /bin/echo alice',
      'AuthorizedPrincipalsCommandUser nobody',
    ),
    ends: proved({ warns: [`${place(TEN, 1)}: .*AuthorizedPrincipalsCommand`] }),
  },
]

const ALLOWED = '198.51.100.7'
const FROM = 'accept_from: [192.0.2.0/24, 198.51.100.0/28]'
const ADDRESS = `ip address add ${ALLOWED}/32 dev lo`

// Debian's own sshd_config sets X11Forwarding behind its Include; the default is no.
async function stayGlobal({ host }: Standing) {
  for (const addr of [ALLOWED, '192.0.2.255', '203.0.113.1', '127.0.0.1']) {
    const { stdout } = await host.exec(`sshd -T -C user=alice,host=h,addr=${addr}`)
    const used = stdout.toLowerCase().split('\n')
    for (const line of ['x11forwarding yes', 'banner /etc/issue.net']) {
      if (!used.includes(line)) throw new Error(`from ${addr} no longer: ${line}`)
    }
  }
}

const SCOPED: readonly Shape[] = [
  {
    name: 'accept_from',
    config: `sshd: { ${FROM} }\n`,
    files: { [MAIN]: append('Banner /etc/issue.net\n') },
    run: ADDRESS,
    ends: proved({ from: ALLOWED, further: stayGlobal }),
  },
  {
    name: 'accept_from, and no Include',
    config: `sshd: { ${FROM} }\n`,
    files: { [MAIN]: withoutInclude('Banner /etc/issue.net\n') },
    run: ADDRESS,
    ends: proved({ writes: [MAIN], from: ALLOWED, further: stayGlobal }),
  },
  {
    name: 'accept_from, and a foreign CA that is adopted',
    config: `sshd: { conflict: adopt, ${FROM} }\n`,
    files: {
      ...dropIn(`TrustedUserCAKeys ${OTHER_CA}`),
      [MAIN]: append('Banner /etc/issue.net\n'),
    },
    run: ADDRESS,
    ends: proved({ from: ALLOWED, foreign: 'stays', further: stayGlobal }),
  },
  {
    name: 'accept_from, and a line that trusts our file from anywhere',
    config: `sshd: { ${FROM} }\n`,
    files: dropIn('', `TrustedUserCAKeys ${CA_FILE}`),
    run: ADDRESS,
    ends: proved({ writes: [`${FOLDER}/00-pomerium-ca.conf`], from: ALLOWED }),
  },
  {
    name: 'accept_from, and a Match that trusts our file from anywhere',
    config: `sshd: { ${FROM} }\n`,
    files: dropIn('Match User bob', `TrustedUserCAKeys ${CA_FILE}`),
    ends: refused('shadowed', place(TEN, 2), 'accept_from'),
  },
]

export const POLICIES = [...KEYS, ...PRINCIPALS]
export const ACCEPT_FROM = SCOPED

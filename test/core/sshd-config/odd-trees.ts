// Random trees under /etc/ssh with all of sshd's syntax and odd bytes: most that sshd accepts, some that
// it does not. Paths, contents and link targets are bytes, as strings of one character each.

import fc from 'fast-check'

export type OddFile =
  | { kind: 'file'; content: string }
  | { kind: 'link'; target: string }
  | { kind: 'folder' | 'pipe' }

export interface OddTree {
  /** By absolute path; `/etc/ssh/sshd_config` is where sshd starts. */
  files: Record<string, OddFile>
  conflict: 'refuse' | 'adopt'
  acceptFrom?: readonly string[]
  /** On the running host; in a tree under `--root`; in one whose sshd is not asked. */
  where: 'running' | 'tree' | 'blind'
}

export const MAIN = '/etc/ssh/sshd_config'
export const FOLDER = '/etc/ssh/sshd_config.d'
export const OURS = '/var/lib/pomerium/pomerium_user_ca_key.pub'
/** Another owner's CA, which lies on the host. */
export const FOREIGN = '/etc/another-owner/ca.pub'
/** The connection that `Match` lines are about; its address is the host's name and address, too. */
export const CONNECTION = { user: 'alice', addr: '1.2.3.4' }

/** Every `Match` line, and whether it takes in CONNECTION; none but `all` takes in nobody. */
const MATCHES: Record<string, boolean> = {
  'Match all': true,
  'match = ALL': true,
  'Match "all" # not only': true,
  'Match user alice': true,
  '\tMATCH User "alice" Host 1.2.3.4': true,
  'Match User=alice,bob': true,
  'Match address 1.2.3.0/24 user ?????': true,
  'Match group alice': true,
  'Match LocalAddress 1.2.3.4': true,
  'Match localport 22': false,
  'Match rdomain none-such': false,
  'Match user nobody-else # all': false,
  'Match user m\xfcller': false,
  'Match host "a b"': false,
  'Match Address 10.0.0.0/8,192.0.2.0/24': false,
  'Match user alice address 10.0.0.0/8': false,
  'Match user *,!alice': false,
}

type Style = (keyword: string, value: string) => string
const STYLES: Style[] = [
  (keyword, value) => `${keyword} ${value}`,
  (keyword, value) => `${keyword} ${value}`,
  (keyword, value) => `${keyword} ${value}`,
  (keyword, value) => `  ${keyword}\t${value} \t`,
  (keyword, value) => `${keyword}=${value}`,
  (keyword, value) => `\r\t${keyword}  =\t${value}\r`,
  (keyword, value) => `= ${keyword} ${value}`,
  (keyword, value) => `${keyword.toUpperCase()} "${value}"\f`,
  (keyword, value) => `"${keyword}" "${value}"`,
  (keyword, value) => `${keyword.slice(0, 3)}"${keyword.slice(3)}"${value}`,
  (keyword, value) => `${keyword}="${value}"`,
  (keyword, value) => `${keyword} ${value} # trailing`,
  (keyword, value) => `${keyword}${' '.repeat(3000)}${value}`,
]
/** What some versions refuse, or take otherwise. */
const ODD_STYLES: Style[] = [
  (keyword, value) => `${keyword} '${value}'`,
  (keyword, value) => `${keyword} ${value}#z`,
  (keyword, value) => `${keyword} "${value}#z"`,
  (keyword, value) => `${keyword} ${value.slice(0, 4)}"${value.slice(4)}"`,
  (keyword, value) => `${keyword} ${value.slice(0, 4)}\\${value.slice(4)}`,
  (keyword, value) => `${keyword} ${value}\\ z`,
  (keyword, value) => `${keyword.slice(0, 4)}\0 not read\n${keyword.slice(4)} ${value}`,
  (keyword, value) => `${keyword} ${value}\0\n`,
  (keyword, value) => `${keyword} \0# gone\n   ${value}`,
  (keyword, value) => `# comment \0\n${keyword} ${value}`,
  (keyword, value) => `\f${keyword} ${value}`,
  (keyword, value) => `${keyword} = = ${value}`,
]

const PLAIN = [
  '',
  ' \t',
  '\0',
  '# TrustedUserCAKeys /never',
  '# M\xfcller, in Latin-1',
  '# Müller, in UTF-8 read as bytes',
  ' \t#RevokedKeys /never',
  '"TrustedUserCAKeys /never',
  'DenyUsers m\xfcller',
  'X11Forwarding no',
  'PermitEmptyPasswords = no',
  'Banner /etc/ssh/\xe9',
  `# ${'x'.repeat(70_000)}`,
]

const NAMES = [
  '00-a.conf',
  '10-b.conf',
  'Z.conf',
  '.hidden.conf',
  '\xe9.conf',
  'm\xc3\xbc.conf',
  'x y.conf',
  'x.bak',
  'zz.conf',
]

const INCLUDES = [
  `Include ${FOLDER}/*.conf`,
  `Include ${FOLDER}/*.conf`,
  `Include ${FOLDER}/*.conf`,
  'INCLUDE = "sshd_config.d/*.conf" # all',
  `Include ${FOLDER}//./*.conf`,
  'Include /etc/ssh/linked.d/*.conf',
  'Include /etc/ssh/more.d/*.conf',
  'Include more.d/[!z]*.conf sshd_config.d/z*',
  'Include /etc/ssh/*.d/[0-9]*.conf',
  'Include /etc/ssh/*.d/?.conf',
  'Include "/etc/ssh/more.d/x y.conf"',
  'Include /etc/ssh/more.d/.*.conf',
  'Include /etc/ssh/more.d/\xe9.conf',
  'Include /etc/ssh/linked.d/../more.d/*.conf',
  'Include none.conf ~/none.conf',
  `Include /etc/ssh/${'n'.repeat(300)}`,
  'Include /etc/ssh/{a,b} /etc/ssh/[',
  'Include /etc/ssh/sshd_config.d/*.conf /etc/ssh/more.d/*.conf',
]

const VALUES: Record<string, string[]> = {
  trustedusercakeys: ['none', 'none', OURS],
  revokedkeys: ['none', '/etc/ssh/empty', '/etc/ssh/krl', '/etc/ssh/gone', FOLDER],
  authorizedprincipalsfile: ['none', '/etc/ssh/p/%u', '.ssh/principals'],
  authorizedprincipalscommand: ['none', '/bin/echo'],
  pubkeyauthentication: ['yes', 'yes', 'no'],
}
const FOREIGNS = [
  FOREIGN,
  FOREIGN,
  '/etc/ssh/other\xff.pub',
  '~/ca.pub',
  'etc/another-owner/ca.pub',
  '/etc/ssh/gone.pub',
  '/etc/ssh/with"quote',
]

const SPELLINGS: Record<string, string[]> = {
  trustedusercakeys: ['TrustedUserCAKeys', 'trustedusercakeys'],
  pubkeyauthentication: ['PubkeyAuthentication', 'DSAAuthentication'],
}

function lines(owners: boolean, odd: boolean, include: boolean): fc.Arbitrary<string> {
  const styles = odd ? [...STYLES, ...ODD_STYLES] : STYLES
  const setting = (keyword: string) =>
    fc
      .tuple(
        fc.constantFrom(...(SPELLINGS[keyword] ?? [keyword])),
        fc.constantFrom(
          ...(VALUES[keyword] ?? []),
          ...(owners && keyword === 'trustedusercakeys' ? FOREIGNS : []),
        ),
        fc.constantFrom(...styles),
      )
      .map(([name, value, style]) => style(name, value))
  const weighted = [
    { weight: 4, arbitrary: setting('trustedusercakeys') },
    { weight: 1, arbitrary: setting('revokedkeys') },
    { weight: 1, arbitrary: setting('authorizedprincipalsfile') },
    { weight: 1, arbitrary: setting('authorizedprincipalscommand') },
    { weight: 1, arbitrary: setting('pubkeyauthentication') },
    { weight: 4, arbitrary: fc.constantFrom(...PLAIN) },
    { weight: 3, arbitrary: fc.constantFrom(...Object.keys(MATCHES)) },
  ]
  if (include) weighted.push({ weight: 3, arbitrary: fc.constantFrom(...INCLUDES) })
  return fc
    .array(fc.oneof(...weighted), { maxLength: 6 })
    .chain(all =>
      fc
        .constantFrom('\n', '\n', '\n', '\n', '\r\n', '')
        .map(end =>
          all.map((line, index) => `${line}${index < all.length - 1 ? end || '\n' : end}`),
        ),
    )
    .map(all => all.join(''))
}

const TARGETS = [
  '/etc/ssh/elsewhere',
  'x.bak',
  '../elsewhere',
  '/dev/null',
  '/etc/ssh/gone',
  'loop',
  '/proc/self/mem/x',
]

function entry(owners: boolean, odd: boolean): fc.Arbitrary<OddFile> {
  const file = lines(owners, odd, false).map((content): OddFile => ({ kind: 'file', content }))
  const link = fc.constantFrom(...TARGETS).map((target): OddFile => ({ kind: 'link', target }))
  return fc.oneof(
    { weight: 12, arbitrary: file },
    { weight: odd ? 2 : 1, arbitrary: link },
    ...(odd
      ? [{ weight: 1, arbitrary: fc.constantFrom<OddFile>({ kind: 'folder' }, { kind: 'pipe' }) }]
      : []),
  )
}

export const oddTree: fc.Arbitrary<OddTree> = fc
  .record({ owners: fc.boolean(), odd: fc.boolean(), lead: fc.boolean() })
  .chain(({ owners, odd, lead }) => {
    const names = fc.dictionary(fc.constantFrom(...NAMES), entry(owners, odd), { maxKeys: 4 })
    return fc.record({
      main: lines(owners, odd, true),
      dropIns: names,
      more: names,
      elsewhere: lines(owners, odd, false),
      linked: fc.constantFrom('sshd_config.d', FOLDER, '/etc/ssh/more.d', 'gone', 'linked.d'),
      mainIsLink: fc.integer({ min: 0, max: 19 }).map(dice => dice === 0),
      conflict: fc.constantFrom('refuse', 'refuse', 'adopt' as const),
      acceptFrom: fc.constantFrom(undefined, undefined, undefined, undefined, ['192.0.2.0/24']),
      where: fc.constantFrom('running', 'running', 'running', 'tree', 'blind' as const),
      lead: fc.constant(lead ? `Include ${FOLDER}/*.conf\n` : ''),
    })
  })
  .map(({ main, dropIns, more, elsewhere, linked, mainIsLink, lead, acceptFrom, ...rest }) => {
    const files: Record<string, OddFile> = {
      [FOLDER]: { kind: 'folder' },
      '/etc/ssh/more.d': { kind: 'folder' },
      '/etc/ssh/linked.d': { kind: 'link', target: linked },
      '/etc/ssh/elsewhere': { kind: 'file', content: elsewhere },
      [`${FOLDER}/loop`]: { kind: 'link', target: 'loop' },
      [MAIN]: { kind: 'file', content: lead + main },
    }
    if (mainIsLink) {
      files['/etc/ssh/main'] = files[MAIN] as OddFile
      files[MAIN] = { kind: 'link', target: '/etc/ssh/main' }
    }
    for (const [name, file] of Object.entries(dropIns)) files[`${FOLDER}/${name}`] = file
    for (const [name, file] of Object.entries(more)) files[`/etc/ssh/more.d/${name}`] = file
    return { files, ...rest, ...(acceptFrom && { acceptFrom }) } as OddTree
  })

/** Whether a Match block of such a tree takes in CONNECTION, or the connection of nobody. */
export function takesIn(criteria: readonly string[], nobody: boolean): boolean {
  const wanted = words(criteria.join(' '))
  const line = Object.keys(MATCHES).find(text => words(text).replace(/^match /, '') === wanted)
  if (line === undefined) throw new Error(`no such Match line: ${criteria.join(' ')}`)
  return nobody ? wanted === 'all' : MATCHES[line] === true
}

function words(text: string): string {
  const kept = text.toLowerCase().replace(/#.*/, '')
  return kept
    .split(/[\s="]+/)
    .filter(Boolean)
    .join(' ')
}

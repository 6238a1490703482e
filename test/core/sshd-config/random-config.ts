// Random sshd configurations that sshd accepts, in which every value names the line that sets it.

import fc from 'fast-check'

/** Where the files of a tree lie; stands for the folder that the test writes them to. */
export const ROOT = '/the-root'

/** Path below the root → text. `sshd_config` is where sshd starts. */
export type ConfigTree = Record<string, string>

/** What the trees set: keywords that stand in Match blocks too and take a path. */
export const KEYWORDS = ['trustedusercakeys', 'revokedkeys', 'authorizedprincipalsfile'] as const

/** The connection that `Match` lines are about. */
export const CONNECTION = { user: 'u', host: 'h', addr: '1.2.3.4' }

/** Every `Match` line of the trees, and whether it takes in `CONNECTION`. */
const MATCH_LINES: Record<string, boolean> = {
  'Match all': true,
  'match = ALL # and nothing else': true,
  'Match "all"': true,
  'Match user u': true,
  '\tMATCH User "u" Host h': true,
  'Match User=u,v': true,
  'Match address 1.2.3.0/24 user ?': true,
  'Match user nobody-else': false,
  'Match user nobody-else # all': false,
  'Match Address 10.0.0.0/8': false,
  'Match user u address 10.0.0.0/8': false,
}

type Style = (keyword: string, value: string) => string

const STYLES: Style[] = [
  (keyword, value) => `${keyword} ${value}`,
  (keyword, value) => `  ${keyword}\t${value} \t`,
  (keyword, value) => `${keyword}=${value}`,
  (keyword, value) => `${keyword}  =\t${value}\r`,
  (keyword, value) => `= ${keyword} ${value}`,
  (keyword, value) => `${keyword.toUpperCase()} "${value}"\f`,
  (keyword, value) => `"${keyword}" "${value} z"`,
  (keyword, value) => `${keyword.slice(0, 3)}"${keyword.slice(3)}"${value}`,
  (keyword, value) => `${keyword}="${value}"`,
  (keyword, value) => `${keyword} ${value} # trailing`,
]

/** What 8.7 brought. */
const MODERN_STYLES: Style[] = [
  (keyword, value) => `${keyword} '${value} "z"'`,
  (keyword, value) => `${keyword} ${value}#z`,
  (keyword, value) => `${keyword} "${value}#\\"z"`,
  (keyword, value) => `${keyword} ${value}\\ z\\\\\\z`,
  (keyword, value) => `${keyword} ${value}" 'z' "z#`,
]

const NOISE = [
  '',
  ' \t',
  '# TrustedUserCAKeys /never',
  ' \t#RevokedKeys /never',
  '"TrustedUserCAKeys /never',
  'X11Forwarding no',
  'PermitEmptyPasswords = no',
]

/** Folders, each with the files that it may hold and the patterns that may lead there. */
const TIERS = [
  {
    files: '00-a.conf 10-b.conf 9-c.conf Z.conf .hidden.conf é.conf x.conf.bak pomerium-ca.conf',
    patterns:
      '*.conf [0-9]*.conf [[:digit:]]*.conf ?.conf ??.conf 00-a.conf none.conf * [!0]* .*.conf [z-a]* {Z,9-c}.conf *\\.conf [.]* [Z9].conf [Z-[]*',
    folder: 'd',
  },
  {
    folder: 'e',
    files: '00.conf IN.conf in.conf a-1.conf a.conf',
    patterns: '*.conf i* [!i]*.conf [0',
  },
  { folder: 'f', files: 'f.conf', patterns: 'f.conf *' },
]

/** `includeInMatch: false` leaves out the Includes that stand below a Match of their own file. */
export function configTree(options: {
  modern: boolean
  includeInMatch?: boolean
}): fc.Arbitrary<ConfigTree> {
  const paths = TIERS.flatMap(({ folder, files }, index) =>
    files.split(' ').map(name => ({ path: `${folder}/${name}`, tier: index + 1 })),
  )
  const files = paths.map(({ path, tier }) => {
    return fc.option(fileText(path, tier, options)).map(text => ({ path, text }))
  })
  return fc.tuple(fileText('sshd_config', 0, options), ...files).map(([first, ...others]) => {
    const tree: ConfigTree = { sshd_config: first }
    for (const { path, text } of others) if (text !== null) tree[path] = text
    return tree
  })
}

type Line = { kind: 'match' | 'include' | 'other'; render(file: string, line: number): string }

function fileText(
  file: string,
  tier: number,
  { modern, includeInMatch = true }: { modern: boolean; includeInMatch?: boolean },
): fc.Arbitrary<string> {
  const styles = modern ? [...STYLES, ...MODERN_STYLES] : STYLES
  const set = fc
    .tuple(fc.constantFrom(...KEYWORDS), fc.constantFrom(...styles))
    .map(([keyword, style]): Line => {
      return { kind: 'other', render: (name, line) => style(keyword, `/at/${name}:${line}`) }
    })
  const plain = (kind: Line['kind'], lines: fc.Arbitrary<string>) =>
    lines.map((text): Line => ({ kind, render: () => text }))
  const kinds = [
    { weight: 4, arbitrary: set },
    { weight: 1, arbitrary: plain('other', fc.constantFrom(...NOISE)) },
    { weight: 2, arbitrary: plain('match', fc.constantFrom(...Object.keys(MATCH_LINES))) },
  ]
  const include = includeLine(tier)
  if (include) kinds.push({ weight: tier === 0 ? 3 : 1, arbitrary: plain('include', include) })
  return fc.array(fc.oneof(...kinds), { maxLength: 7 }).map(lines => {
    const firstMatch = lines.findIndex(line => line.kind === 'match')
    const kept = lines.filter(
      (line, index) =>
        includeInMatch || line.kind !== 'include' || firstMatch < 0 || index < firstMatch,
    )
    return kept.map((line, index) => line.render(file, index + 1)).join('\n')
  })
}

// A file includes only from the folders behind its own, so that no Include goes in a circle.
function includeLine(tier: number): fc.Arbitrary<string> | undefined {
  const patterns = TIERS.slice(tier).flatMap(({ folder, patterns }) =>
    patterns.split(' ').map(pattern => `${ROOT}/${folder}/${pattern}`),
  )
  if (patterns.length === 0) return undefined
  if (tier === 0) patterns.push(`${ROOT}/*/*0*.conf`, `${ROOT}/[de]/*.conf`)
  const pattern = fc.constantFrom(...patterns)
  return fc.oneof(
    pattern.map(one => `Include ${one}`),
    pattern.map(one => `\tINCLUDE="${one}" # this`),
    fc.tuple(pattern, pattern).map(([one, two]) => `include = ${one} "${two}"`),
  )
}

/** Whether a Match block of such a tree takes in `CONNECTION`. */
export function matchesConnection(criteria: readonly string[]): boolean {
  const words = (text: string) =>
    text
      .toLowerCase()
      .replace(/#.*/, '')
      .split(/[\s="]+/)
      .filter(Boolean)
  const wanted = words(criteria.join(' ')).join(' ')
  const line = Object.keys(MATCH_LINES).find(text => words(text).slice(1).join(' ') === wanted)
  if (line === undefined) throw new Error(`no such Match line: ${criteria.join(' ')}`)
  return MATCH_LINES[line] === true
}

// Another owner of TrustedUserCAKeys: refused by file and line, or adopted and given back.

import { append, FOLDER, MAIN, OTHER_CA, place, proved, refused, type Shape } from './shape.ts'

const ZERO = `${FOLDER}/00-other.conf`
const FIRST = `${FOLDER}/0-pomerium-ca.conf`
const LINE = `TrustedUserCAKeys ${OTHER_CA}\n`
const ADOPT = 'sshd: { conflict: adopt }\n'

const beforeInclude = (text: string) => (before: string) => `${text}${before}`

const earlier = (name: string, line: string): Shape => ({
  name: `an earlier drop-in: ${name}`,
  files: { [ZERO]: `# Of another owner\n\n${line}\n` },
  ends: refused('foreign-ca', place(ZERO, 3), OTHER_CA),
})

export const CONFLICTS: readonly Shape[] = [
  earlier('as written', LINE.trim()),
  earlier('lower case and a tab', `\ttrustedusercakeys\t${OTHER_CA}`),
  earlier('upper case and quotes', `TRUSTEDUSERCAKEYS "${OTHER_CA}"`),
  earlier('an equals sign', `TrustedUserCAKeys=${OTHER_CA}`),
  earlier('blanks around an equals sign, quotes', `TrustedUserCAKeys  =  "${OTHER_CA}"  `),
  earlier('the keyword quoted', `"TrustedUserCAKeys" ${OTHER_CA}`),
  {
    name: 'an earlier drop-in: none',
    files: { [ZERO]: 'TrustedUserCAKeys none\n' },
    ends: refused('shadowed', place(ZERO, 1), 'TrustedUserCAKeys none'),
  },
  {
    name: 'an earlier drop-in that names our file',
    files: { [ZERO]: 'TrustedUserCAKeys /var/lib/pomerium/pomerium_user_ca_key.pub\n' },
    ends: proved(),
  },
  {
    name: 'a later drop-in, which ours would displace',
    files: { [`${FOLDER}/zz-other.conf`]: LINE },
    ends: refused('foreign-ca', place(`${FOLDER}/zz-other.conf`, 1), OTHER_CA),
  },
  {
    name: 'sshd_config itself, before its Include',
    files: { [MAIN]: beforeInclude(LINE) },
    ends: refused('foreign-ca', place(MAIN, 1), OTHER_CA),
  },
  {
    name: 'two commented lines are no owner',
    files: { [ZERO]: `#${LINE}  # ${LINE}` },
    ends: proved(),
  },
  {
    name: 'adopt: an earlier drop-in',
    config: ADOPT,
    files: { [ZERO]: LINE },
    ends: proved({ writes: [FIRST], foreign: 'stays' }),
  },
  {
    name: 'adopt: a later drop-in',
    config: ADOPT,
    files: { [`${FOLDER}/zz-other.conf`]: LINE },
    ends: proved({ foreign: 'stays' }),
  },
  {
    name: 'adopt: sshd_config itself, before its Include',
    config: ADOPT,
    files: { [MAIN]: beforeInclude(LINE) },
    ends: proved({ writes: [MAIN], foreign: 'stays' }),
  },
  {
    name: 'adopt: none, explicitly',
    config: ADOPT,
    files: { [ZERO]: 'TrustedUserCAKeys none\n' },
    ends: proved({ writes: [FIRST] }),
  },
  {
    name: 'adopt, and the foreign key changes',
    config: ADOPT,
    files: { [ZERO]: LINE },
    ends: proved({ writes: [FIRST], foreign: 'rotates' }),
  },
  {
    name: 'adopt: a Match can not be',
    config: ADOPT,
    files: { [MAIN]: append(`Match User bob\n    ${LINE}`) },
    ends: refused('foreign-ca', `${MAIN}:`, 'Match User bob'),
  },
]

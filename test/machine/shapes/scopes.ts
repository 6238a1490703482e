// Match blocks, and where Include stands or does not.

import {
  append,
  FOLDER,
  includeAs,
  MAIN,
  OTHER_CA,
  place,
  proved,
  refused,
  type Shape,
  withoutInclude,
} from './shape.ts'

const TEN = `${FOLDER}/10-site.conf`
const INCLUDE = `Include ${FOLDER}/*.conf\n`
const inMain = { writes: [MAIN] }

const MATCHES: readonly Shape[] = [
  {
    name: 'Match all at the end',
    files: { [MAIN]: append('Match all\n    X11Forwarding no\n') },
    ends: proved(),
  },
  {
    name: 'Match all at the end, with another CA inside',
    files: { [MAIN]: () => `UsePAM yes\nMatch all\n    TrustedUserCAKeys ${OTHER_CA}\n` },
    ends: refused('foreign-ca', place(MAIN, 3), OTHER_CA),
  },
  {
    name: 'Match User at the end, without a newline',
    files: { [MAIN]: append('Match User bob\n    X11Forwarding no') },
    ends: proved(),
  },
  {
    name: 'Match User at the end, with another CA inside',
    files: { [MAIN]: () => `UsePAM yes\n\nMatch User bob\n    TrustedUserCAKeys ${OTHER_CA}` },
    ends: refused('foreign-ca', place(MAIN, 4), 'Match User bob'),
  },
  {
    name: 'Match User without public keys for that user',
    files: { [TEN]: 'Match User bob\n    PubkeyAuthentication no\n' },
    ends: proved({ warns: [`${place(TEN, 2)}: no certificate logs in where Match User bob`] }),
  },
  {
    name: 'Match User without CAs for that user',
    files: { [TEN]: 'Match User bob\n    TrustedUserCAKeys none\n' },
    ends: proved({ warns: [`${place(TEN, 2)}: no certificate logs in where Match User bob`] }),
  },
  {
    name: 'Match User without CAs for root',
    files: { [TEN]: 'Match User root\n    TrustedUserCAKeys none\n' },
    ends: proved({ warns: [`${place(TEN, 2)}: no certificate logs in where Match User root`] }),
  },
  {
    name: 'Match User without public keys for all but alice',
    files: { [MAIN]: () => `${INCLUDE}Match User *,!alice\n    PubkeyAuthentication no\n` },
    ends: proved({ warns: [/sshd_config:3: no certificate logs in where Match User \*,!alice/] }),
  },
  {
    name: 'Match all at the end, without CAs',
    files: { [MAIN]: () => `${INCLUDE}Match all\n    TrustedUserCAKeys none\n` },
    ends: refused('foreign-ca', place(MAIN, 3), 'Match all'),
  },
  {
    name: 'Match LocalPort and LocalAddress',
    files: {
      [TEN]:
        'Match LocalPort 2222\n    MaxAuthTries 2\nMatch LocalAddress ::1\n    MaxAuthTries 3\n',
    },
    ends: proved(),
  },
  {
    name: 'a Match inside an included file, left open',
    files: { [TEN]: 'PrintMotd no\nMatch User bob\n    X11Forwarding no' },
    ends: proved(),
  },
  {
    name: 'a Match inside an included file, with another CA',
    files: { [TEN]: `Match Group wheel\n    trustedusercakeys ${OTHER_CA}\n` },
    ends: refused('foreign-ca', place(TEN, 2), 'Match Group wheel'),
  },
  {
    name: 'a Match that an included file opens, and a second Include behind it',
    files: {
      [MAIN]: includeAs(`Include /etc/ssh/site.conf ${FOLDER}/*.conf`),
      '/etc/ssh/site.conf': 'Match User bob\n    PermitTTY no\n',
    },
    ends: proved(),
  },
]

const INCLUDES: readonly Shape[] = [
  { name: 'no Include', files: { [MAIN]: withoutInclude() }, ends: proved(inMain) },
  {
    name: 'an Include commented out',
    files: { [MAIN]: includeAs(`#Include ${FOLDER}/*.conf`) },
    ends: proved(inMain),
  },
  {
    name: 'an Include inside a Match',
    files: { [MAIN]: withoutInclude(`Match User bob\n    Include ${FOLDER}/*.conf\n`) },
    ends: proved(inMain),
  },
  {
    name: 'an Include inside Match all',
    files: { [MAIN]: withoutInclude(`Match all\n    Include ${FOLDER}/*.conf\n`) },
    ends: proved(inMain),
  },
  {
    name: 'an Include of another folder',
    files: {
      [MAIN]: includeAs('Include /etc/ssh/site.d/*.conf'),
      '/etc/ssh/site.d/a.conf': 'PrintMotd no\n',
    },
    ends: proved(inMain),
  },
  {
    name: 'an Include that takes other names only',
    files: { [MAIN]: includeAs(`Include ${FOLDER}/[0-9]*.conf`) },
    ends: proved(inMain),
  },
  {
    name: 'an Include that is relative, quoted and in upper case',
    files: { [MAIN]: includeAs('INCLUDE "sshd_config.d/*.conf"') },
    ends: proved(),
  },
  {
    name: 'an Include at the very end, without a newline',
    files: { [MAIN]: withoutInclude(`Include ${FOLDER}/*.conf`) },
    ends: proved(),
  },
  {
    name: 'no Include, and a Match at the end without a newline',
    files: { [MAIN]: withoutInclude('Match User bob\n    X11Forwarding no') },
    ends: proved(inMain),
  },
  {
    name: 'no Include, and no folder for it',
    files: { [MAIN]: withoutInclude() },
    run: `rmdir ${FOLDER}`,
    ends: proved(inMain),
  },
  {
    name: 'no Include, and Windows line ends',
    files: { [MAIN]: before => withoutInclude()(before).replaceAll('\n', '\r\n') },
    ends: proved(inMain),
  },
  {
    name: 'sshd_config is a link, with an Include',
    run: `mv ${MAIN} /etc/ssh/site && ln -s site ${MAIN}`,
    ends: proved(),
  },
  {
    name: 'sshd_config is a link, without an Include',
    files: { [MAIN]: withoutInclude() },
    run: `mv ${MAIN} /etc/ssh/site && ln -s site ${MAIN}`,
    ends: refused('include-missing', MAIN, `Include ${FOLDER}/*.conf`),
  },
]

export const SCOPES = [...MATCHES, ...INCLUDES]

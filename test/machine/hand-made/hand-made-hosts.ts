// Hosts that were set up by hand, as Pomerium's guides have it and as people do it, as data.

import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'

const MAIN = '/etc/ssh/sshd_config'
const FOLDER = '/etc/ssh/sshd_config.d'
const IN_ETC = '/etc/pomerium/pomerium_user_ca_key.pub'
const IN_SSH = '/etc/ssh/pomerium_user_ca_key.pub'
/** `alice`, whom every host has. */
const ALICE = 1000

/** A file that a person laid; `keys` in place of content: those CAs' lines. */
export interface LaidFile {
  keys?: readonly ('ours' | 'strange')[]
  /** A function gets what the base has there. */
  content?: string | ((before: string) => string)
  mode?: number
  uid?: number
}

export interface HandMade {
  name: string
  files: Readonly<Record<string, LaidFile>>
  /** The lines that are taken over, as `file:line`; the last line of a file as `file:$`. */
  tookOver: readonly string[]
  /** Of the agent: YAML beside its `source`. */
  config?: string
  /** Where a login must come from; from anywhere if not given. */
  from?: string
  /** A warning of every apply. */
  warns?: RegExp
  /** Whom a Match lets in by the file laid by hand: there the old key outlives a rotation. */
  escapes?: string
  /** Not taken over: the strange key is refused for, and adopted. */
  strange?: true
}

const line = (file: string) => `TrustedUserCAKeys ${file}\n`
const OURS = { keys: ['ours'] } as const
const FROM = '198.51.100.7'

export const HAND_MADE: readonly HandMade[] = [
  {
    name: 'the guide, with a drop-in: our own names, mode 644',
    files: {
      [CA_FILE]: { ...OURS, mode: 0o644 },
      [DROP_IN]: { content: line(CA_FILE), mode: 0o644 },
    },
    tookOver: [`${DROP_IN}:1`],
  },
  {
    name: 'the guide, in the last line of sshd_config: our own CA file, mode 600',
    files: {
      [CA_FILE]: { ...OURS, mode: 0o600 },
      [MAIN]: { content: before => `${before}${line(CA_FILE)}` },
    },
    tookOver: [`${MAIN}:$`],
  },
  {
    name: 'the newest guide: 50-pomerium.conf, a key in /etc/pomerium, mode 600',
    files: {
      [IN_ETC]: { ...OURS, mode: 0o600 },
      [`${FOLDER}/50-pomerium.conf`]: { content: line(IN_ETC) },
    },
    tookOver: [`${FOLDER}/50-pomerium.conf:1`],
  },
  {
    name: 'a drop-in that sorts first, by a name of ours, a key in /etc/ssh',
    files: {
      [IN_SSH]: { ...OURS, mode: 0o644 },
      [`${FOLDER}/00-pomerium-ca.conf`]: { content: `# by hand\n${line(IN_SSH)}` },
    },
    tookOver: [`${FOLDER}/00-pomerium-ca.conf:2`],
  },
  {
    name: 'a drop-in that sorts last',
    files: {
      [IN_ETC]: { ...OURS, mode: 0o644 },
      [`${FOLDER}/zz-pomerium.conf`]: { content: line(IN_ETC) },
    },
    tookOver: [`${FOLDER}/zz-pomerium.conf:1`],
  },
  {
    name: 'quoted, with a blank in the name',
    files: {
      '/etc/ssh/pomerium ca.pub': { ...OURS, mode: 0o644 },
      [`${FOLDER}/50-pomerium.conf`]: {
        content: '\nTrustedUserCAKeys "/etc/ssh/pomerium ca.pub"\n',
      },
    },
    tookOver: [`${FOLDER}/50-pomerium.conf:2`],
  },
  {
    name: 'the first line of sshd_config',
    files: {
      [IN_SSH]: { ...OURS, mode: 0o600 },
      [MAIN]: { content: before => `${line(IN_SSH)}${before}` },
    },
    tookOver: [`${MAIN}:1`],
  },
  {
    name: 'two files, of which one counts',
    files: {
      [IN_ETC]: { ...OURS, mode: 0o644 },
      [IN_SSH]: { ...OURS, mode: 0o600 },
      [`${FOLDER}/50-pomerium.conf`]: { content: line(IN_ETC) },
      [MAIN]: { content: before => `${before}${line(IN_SSH)}` },
    },
    tookOver: [`${FOLDER}/50-pomerium.conf:1`, `${MAIN}:$`],
  },
  {
    name: 'our own names, and somebody else’s files',
    files: {
      [CA_FILE]: { ...OURS, mode: 0o640, uid: ALICE },
      [DROP_IN]: { content: `\n${line(CA_FILE)}`, mode: 0o644, uid: ALICE },
    },
    tookOver: [`${DROP_IN}:2`],
  },
  {
    name: 'accept_from, and a global line elsewhere',
    files: {
      [IN_ETC]: { ...OURS, mode: 0o644 },
      [MAIN]: { content: before => `${line(IN_ETC)}${before}` },
    },
    tookOver: [`${MAIN}:1`],
    config: `sshd: { accept_from: [${FROM}] }\n`,
    from: FROM,
  },
  {
    name: 'a line within a Match',
    files: {
      [IN_SSH]: { ...OURS, mode: 0o644 },
      [MAIN]: { content: before => `${before}Match User root\n    ${line(IN_SSH)}` },
    },
    tookOver: [],
    warns: /sshd_config:\d+ .*Match User root\) goes by a file of its own/,
    escapes: 'root',
  },
  {
    name: 'a stranger’s key beside ours',
    files: {
      [IN_ETC]: { keys: ['ours', 'strange'], mode: 0o644 },
      [`${FOLDER}/50-pomerium.conf`]: { content: line(IN_ETC) },
    },
    tookOver: [],
    strange: true,
  },
]

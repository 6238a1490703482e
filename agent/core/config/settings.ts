import {
  addressRange,
  duration,
  fingerprint,
  flag,
  jsonPointer,
  listenAddress,
  listOf,
  oneOf,
  path,
  type SettingType,
  sourceUrl,
  word,
} from './setting-types.ts'

interface Setting<T> {
  /** How its value is read. */
  type: SettingType<T>
  /** What holds where it is not set; without one it is missing from the config then. */
  default?: T
  /** The setting whose value holds where this one is not set. */
  orThatOf?: string
  /** Its key in `Config`, where that says more than its name in camel case. */
  key?: string
  /** To lose it would be seen by nobody: it narrows what is trusted, or who is let in. */
  guards?: true
  /**
   * A file that root keeps and the daemon is given a copy of: to ask the source, which the poll does too, or
   * for the webhook, whose files are not the poll's to have.
   */
  credential?: 'source' | 'webhook'
  /** Where the installer keeps the file that it was given, and its mode: secrets are root's alone. */
  keptAt?: { path: string; mode: number }
}

const KEPT_IN = '/etc/pomerium'
const SECRETS_KEPT_IN = `${KEPT_IN}/credentials`

/** Every setting, once, by its place in the YAML file. */
export const SETTINGS = {
  'source.url': { type: sourceUrl },
  'source.token_file': {
    type: path,
    credential: 'source',
    keptAt: { path: `${SECRETS_KEPT_IN}/source-token`, mode: 0o600 },
  },
  'source.ca_file': {
    type: path,
    credential: 'source',
    keptAt: { path: `${KEPT_IN}/source-ca.pem`, mode: 0o644 },
  },
  'source.json_pointer': { type: jsonPointer },
  'source.poll_interval': { type: duration, key: 'pollIntervalSeconds', default: 300 },
  'source.long_poll': { type: flag, default: false },
  'trust.signers_file': {
    type: path,
    guards: true,
    keptAt: { path: `${KEPT_IN}/bundle-signers`, mode: 0o644 },
  },
  'trust.fingerprints': { type: listOf(fingerprint, 'fingerprints'), guards: true },
  'sshd.ca_file': { type: path, default: '/var/lib/pomerium/pomerium_user_ca_key.pub' },
  'sshd.drop_in': { type: path, default: '/etc/ssh/sshd_config.d/pomerium-ca.conf' },
  'sshd.conflict': { type: oneOf('refuse', 'adopt'), default: 'refuse' },
  'sshd.restart': { type: oneOf('rotation', 'config-change'), default: 'rotation' },
  'sshd.accept_from': { type: listOf(addressRange, 'addresses'), guards: true },
  'sshd.exempt_from_penalties': {
    type: listOf(addressRange, 'addresses'),
    guards: true,
    orThatOf: 'sshd.accept_from',
  },
  'sshd.restart_command': { type: listOf(word, 'words') },
  'webhook.listen': { type: listenAddress },
  'webhook.secret_file': {
    type: path,
    credential: 'webhook',
    keptAt: { path: `${SECRETS_KEPT_IN}/webhook-secret`, mode: 0o600 },
  },
  'webhook.tls_cert_file': { type: path, credential: 'webhook' },
  'webhook.tls_key_file': { type: path, credential: 'webhook' },
  'metrics.textfile': { type: path },
} as const satisfies Record<`${string}.${string}`, Setting<unknown>>

export type SettingName = keyof typeof SETTINGS
export type SettingValue<N extends SettingName> =
  ReturnType<(typeof SETTINGS)[N]['type']> extends infer R
    ? R extends { value: infer V }
      ? V
      : never
    : never

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

const ENVIRONMENT_PREFIX = 'POMERIUM_HOST_AGENT_'

/** `source.token_file` ⇄ `POMERIUM_HOST_AGENT_SOURCE_TOKEN_FILE`. */
export function environmentName(name: SettingName): string {
  return ENVIRONMENT_PREFIX + name.replace('.', '_').toUpperCase()
}

/** Whether an environment variable claims to be a setting. */
export function isSettingVariable(variable: string): boolean {
  return variable.startsWith(ENVIRONMENT_PREFIX)
}

/** The same for any of them, where it is not known which. */
export function settingOf(name: SettingName): Setting<unknown> {
  return SETTINGS[name]
}

/** Where the value of a setting stands in `Config`: `source.token_file` is `tokenFile` of `source`. */
export function keyOf(name: SettingName): [section: string, key: string] {
  const [section = '', rest = ''] = name.split('.')
  const camel = rest.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
  return [section, settingOf(name).key ?? camel]
}

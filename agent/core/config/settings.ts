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

/** Every setting, once: its place in the YAML file and how its value is read. */
export const SETTINGS = {
  'source.url': sourceUrl,
  'source.token_file': path,
  'source.ca_file': path,
  'source.json_pointer': jsonPointer,
  'source.poll_interval': duration,
  'source.long_poll': flag,
  'trust.signers_file': path,
  'trust.fingerprints': listOf(fingerprint, 'fingerprints'),
  'sshd.ca_file': path,
  'sshd.drop_in': path,
  'sshd.conflict': oneOf('refuse', 'adopt'),
  'sshd.restart': oneOf('rotation', 'config-change'),
  'sshd.accept_from': listOf(addressRange, 'addresses'),
  'sshd.exempt_from_penalties': listOf(addressRange, 'addresses'),
  'sshd.restart_command': listOf(word, 'words'),
  'webhook.listen': listenAddress,
  'webhook.secret_file': path,
  'webhook.tls_cert_file': path,
  'webhook.tls_key_file': path,
  'metrics.textfile': path,
} as const satisfies Record<string, SettingType<unknown>>

export type SettingName = keyof typeof SETTINGS
export type SettingValue<N extends SettingName> =
  ReturnType<(typeof SETTINGS)[N]> extends infer R
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

const LOST_UNSEEN: readonly SettingName[] = ['sshd.accept_from', 'sshd.exempt_from_penalties']

/** Whether to lose a setting would be seen by nobody: one that narrows what is trusted, or who is let in. */
export function mustNotBeEmpty(name: SettingName): boolean {
  return name.startsWith('trust.') || LOST_UNSEEN.includes(name)
}

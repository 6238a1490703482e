import { optional } from '../basics/when-defined.ts'
import type { Config, ConfigError, Place } from './config.ts'
import { clashingCredentials } from './credentials.ts'
import { layoutOf } from './layout.ts'
import { readYaml } from './read-yaml.ts'
import {
  environmentName,
  isSettingVariable,
  keyOf,
  SETTING_NAMES,
  type SettingName,
  settingOf,
} from './settings.ts'

/** What was given, by setting name, with where it stands for messages of the rules. */
interface Given {
  values: Map<SettingName, unknown>
  places: Map<SettingName, Place>
}

/**
 * Parses the YAML text and the environment (which wins), fills in the defaults and applies the
 * rules between settings; says where each setting was given. All errors are returned at once.
 */
export function parseConfig(
  file: { name: string; text: string } | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): { config: Config; places: Given['places'] } | { errors: ConfigError[] } {
  const errors: ConfigError[] = []
  const given: Given = { values: new Map(), places: new Map() }
  if (file !== undefined) {
    const yaml = readYaml(file)
    errors.push(...yaml.errors, ...yaml.empty)
    for (const { name, value, place } of yaml.values) read(name, value, place, given, errors)
  }
  readEnvironment(environment, given, errors)
  const config = normalise(given)
  checkRules(config, given, errors)
  return errors.length > 0 ? { errors } : { config, places: given.places }
}

/** What holds where nothing is set. */
export function defaultConfig(): Config {
  return normalise({ values: new Map(), places: new Map() })
}

function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  given: Given,
  errors: ConfigError[],
): void {
  const names = new Map(SETTING_NAMES.map(name => [environmentName(name), name]))
  for (const [variable, value] of Object.entries(environment)) {
    if (!isSettingVariable(variable) || value === undefined) continue
    const name = names.get(variable)
    if (name === undefined) {
      errors.push({
        where: variable,
        message: `${variable} is not a setting; see the guide for their names`,
      })
    } else if (value !== '') {
      read(name, value, { where: variable }, given, errors)
    } else if (settingOf(name).guards) {
      const message = `${variable} is set to nothing: give it a value, or unset it`
      errors.push({ where: variable, message })
    }
  }
}

function read(
  name: SettingName,
  value: unknown,
  place: Place,
  given: Given,
  errors: ConfigError[],
): void {
  const result = settingOf(name).type(value)
  if ('problem' in result)
    return void errors.push({ ...place, message: `${name} ${result.problem}` })
  given.values.set(name, result.value)
  given.places.set(name, place)
}

function normalise({ values }: Given): Config {
  const config: Record<string, Record<string, unknown>> = {}
  for (const name of SETTING_NAMES) {
    const { default: usual, orThatOf } = settingOf(name)
    const [section, key] = keyOf(name)
    const other = orThatOf && values.get(orThatOf as SettingName)
    const value = values.get(name) ?? other ?? usual
    config[section] = { ...config[section], ...optional(key, value) }
  }
  // By the rows that `Config` is inferred from.
  return config as Config
}

// What is wrong between settings, though each is right by itself.
function checkRules(config: Config, given: Given, errors: ConfigError[]): void {
  const rule = (name: SettingName, broken: boolean, message: string) => {
    if (broken) errors.push({ ...(given.places.get(name) ?? { where: name }), message })
  }
  const { webhook, sshd, source, metrics } = config
  rule(
    'source.long_poll',
    source.longPoll && source.url?.protocol === 'file:',
    'source.long_poll needs a source that can hold a request; a file is looked at by the clock',
  )
  rule(
    'webhook.listen',
    webhook.listen !== undefined && webhook.secretFile === undefined,
    'webhook.listen needs webhook.secret_file: unsigned webhooks are refused',
  )
  const [cert, key] = ['webhook.tls_cert_file', 'webhook.tls_key_file'] as const
  const { tlsCertFile, tlsKeyFile } = webhook
  rule(cert, tlsCertFile !== undefined && tlsKeyFile === undefined, `${cert} needs ${key}`)
  rule(key, tlsKeyFile !== undefined && tlsCertFile === undefined, `${key} needs ${cert}`)
  for (const { setting, with: other } of clashingCredentials(config)) {
    rule(setting, true, `${setting} and ${other} need different file names, not just folders`)
  }
  rule(
    'sshd.drop_in',
    !sshd.dropIn.endsWith('.conf'),
    'sshd.drop_in must end in .conf, or sshd passes it over',
  )
  // Nor can root be led to write, in a folder of somebody else's, what another program reads.
  rule(
    'metrics.textfile',
    metrics.textfile?.endsWith('.prom') === false,
    'metrics.textfile must end in .prom, or the node exporter passes it over',
  )
  rule(
    'sshd.ca_file',
    sshd.caFile === sshd.dropIn,
    'sshd.ca_file and sshd.drop_in must be two files',
  )
  rule(
    'sshd.ca_file',
    sshd.caFile === layoutOf(sshd).revokedKeys.path,
    'sshd.ca_file needs another name: by this one lies the list of revoked keys beside it',
  )
}

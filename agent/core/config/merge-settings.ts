import { isMap, parseDocument, YAMLMap } from 'yaml'
import type { ConfigError } from './config.ts'
import { readYaml } from './read-yaml.ts'
import { SETTINGS, type SettingName } from './settings.ts'

const FIRST_LINES = ` pomerium-host-agent's configuration. After a change: sudo pomerium-host-agent configure`

/**
 * Puts settings into the text of a config file and leaves the rest as its author wrote it, comments
 * too. A setting that has its value already is not touched; where all have, the text comes back as
 * it was. Values are given as in the environment: text, lists separated by commas.
 */
export function mergeSettings(
  file: { name: string; text: string | undefined },
  wanted: ReadonlyMap<SettingName, string>,
): { text: string } | { errors: ConfigError[] } {
  const { values, errors } = readYaml({ name: file.name, text: file.text ?? '' })
  if (errors.length > 0) return { errors }
  const held = new Map(values.map(({ name, value }) => [name, value]))
  const changed: [SettingName, unknown][] = []
  for (const [name, given] of wanted) {
    const read = SETTINGS[name].type(given)
    if ('problem' in read) {
      errors.push({ where: name, message: `${name} ${read.problem}` })
    } else if (!isSame(SETTINGS[name].type(held.get(name)), read)) {
      changed.push([name, asYaml(given, read.value)])
    }
  }
  if (errors.length > 0) return { errors }
  if (changed.length === 0 && file.text !== undefined) return { text: file.text }

  const document = parseDocument(file.text ?? '')
  if (!isMap(document.contents)) document.contents = document.createNode({}) as never
  if (file.text === undefined) document.commentBefore = FIRST_LINES
  for (const [name, value] of changed) {
    const [section = '', setting = ''] = name.split('.')
    // "source:" with nothing below it is a null, which holds no settings.
    if (!isMap(document.get(section))) document.set(section, new YAMLMap())
    document.setIn([section, setting], value)
  }
  return { text: document.toString({ lineWidth: 0 }) }
}

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

// As the operator gave it where that is a text: `1h30m` says more than 5400.
function asYaml(given: string, value: unknown): unknown {
  return Array.isArray(value) || typeof value === 'boolean' ? value : given
}

import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import type { ConfigError, Place } from './config.ts'
import { SETTING_NAMES, type SettingName } from './settings.ts'

interface FoundSetting {
  name: SettingName
  value: unknown
  place: Place
}

/** Reads which settings a YAML text gives, each with its line; what is no setting is an error. */
export function readYaml(file: { name: string; text: string }): {
  values: FoundSetting[]
  errors: ConfigError[]
} {
  const lines = new LineCounter()
  const document = parseDocument(file.text, { lineCounter: lines, prettyErrors: false })
  const values: FoundSetting[] = []
  const errors: ConfigError[] = []
  const place = (offset: number | undefined): Place => ({
    where: file.name,
    ...(offset === undefined ? {} : { line: lines.linePos(offset).line }),
  })
  const report = (node: unknown, message: string) => {
    errors.push({ ...place((node as Node | null)?.range?.[0]), message })
  }

  for (const error of document.errors) {
    errors.push({ ...place(error.pos[0]), message: error.message })
  }
  if (document.errors.length > 0 || document.contents === null) return { values, errors }
  if (!isMap(document.contents)) {
    report(document.contents, 'must hold sections such as "source:"')
    return { values, errors }
  }
  for (const [section, key, body] of pairs(document.contents)) {
    if (isScalar(body) && body.value === null) continue
    if (!SETTING_NAMES.some(name => name.startsWith(`${section}.`))) {
      report(key, `"${section}" is not a section; there are ${list(SETTING_NAMES.map(sectionOf))}`)
    } else if (!isMap(body)) {
      report(body, `"${section}" must hold settings, each on a line of its own`)
    } else {
      for (const [setting, settingKey, node] of pairs(body)) {
        const name = SETTING_NAMES.find(each => each === `${section}.${setting}`)
        const value = (node as Node | null)?.toJS(document)
        if (name === undefined) {
          const known = SETTING_NAMES.filter(each => sectionOf(each) === section)
          report(settingKey, `"${section}.${setting}" is not a setting; there are ${list(known)}`)
        } else if (value !== undefined && value !== null) {
          values.push({ name, value, place: place((settingKey as Node).range?.[0]) })
        }
      }
    }
  }
  return { values, errors }
}

function pairs(map: YAMLMap): [name: string, key: unknown, value: unknown][] {
  return map.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), key, value])
}

const sectionOf = (name: string) => name.slice(0, name.indexOf('.'))

const list = (names: string[]) => [...new Set(names)].join(', ')

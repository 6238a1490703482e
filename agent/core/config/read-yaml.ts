import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { ConfigError, Place } from './config.ts'
import { SETTING_NAMES, type SettingName } from './settings.ts'

interface FoundSetting {
  name: SettingName
  value: unknown
  place: Place
}

/**
 * Reads which settings a YAML text gives, each with its line; what is no setting is an error. `empty`
 * are the sections and settings that are written without a value: errors too, until they are filled.
 */
export function readYaml(file: { name: string; text: string }): {
  values: FoundSetting[]
  empty: ConfigError[]
  errors: ConfigError[]
} {
  const lines = new LineCounter()
  // What the parser would warn of on stderr (a template that was not filled in) is an error below.
  const quiet = { prettyErrors: false, logLevel: 'error' } as const
  const document = parseDocument(file.text, { lineCounter: lines, ...quiet })
  const values: FoundSetting[] = []
  const empty: ConfigError[] = []
  const errors: ConfigError[] = []
  const place = (offset: number | undefined): Place => ({
    where: file.name,
    ...(offset === undefined ? {} : { line: lines.linePos(offset).line }),
  })
  const report = (node: unknown, message: string) => {
    errors.push({ ...place((node as Node | null)?.range?.[0]), message })
  }

  // A warning is of a tag or a version that this parser does not know, and so does not obey.
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const said = code === 'MULTIPLE_DOCS' ? 'there is a second document; keep one' : message
    errors.push({ ...place(pos[0]), message: said })
  }
  for (const alias of aliasesIn(document)) {
    report(alias, 'aliases are not followed here; write the value out')
  }
  const { contents } = document
  if (errors.length > 0 || contents === null) return { values, empty, errors }
  if (!isMap(contents)) {
    report(contents, 'must hold sections such as "source:"')
    return { values, empty, errors }
  }
  const reportEmpty = (name: string, key: unknown) => {
    const message = `${name} is written without a value: give it one, or take the line out`
    empty.push({ ...place((key as Node).range?.[0]), message })
  }
  for (const [section, key, body] of pairs(contents)) {
    if (!SETTING_NAMES.some(name => name.startsWith(`${section}.`))) {
      report(key, `"${section}" is not a section; there are ${list(SETTING_NAMES.map(sectionOf))}`)
    } else if (isEmpty(body)) {
      reportEmpty(section, key)
    } else if (!isMap(body)) {
      report(body, `"${section}" must hold settings, each on a line of its own`)
    } else {
      for (const [setting, settingKey, node] of pairs(body)) {
        const name = SETTING_NAMES.find(each => each === `${section}.${setting}`)
        if (name === undefined) {
          const known = SETTING_NAMES.filter(each => sectionOf(each) === section)
          report(settingKey, `"${section}.${setting}" is not a setting; there are ${list(known)}`)
        } else if (isEmpty(node)) {
          reportEmpty(name, settingKey)
        } else {
          const value: unknown = (node as Node).toJS(document)
          values.push({ name, value, place: place((settingKey as Node).range?.[0]) })
        }
      }
    }
  }
  return { values, empty, errors }
}

// What somebody meant to fill in, or a template filled with nothing.
function isEmpty(node: unknown): boolean {
  if (isScalar(node)) return node.value === null || String(node.value).trim() === ''
  return node === null || (isCollection(node) && node.items.length === 0)
}

function aliasesIn(document: Document): Node[] {
  const found: Node[] = []
  visit(document, { Alias: (_, alias) => void found.push(alias) })
  return found
}

function pairs(map: YAMLMap): [name: string, key: unknown, value: unknown][] {
  return map.items.map(({ key, value }) => [String(isScalar(key) ? key.value : key), key, value])
}

const sectionOf = (name: string) => name.slice(0, name.indexOf('.'))

const list = (names: string[]) => [...new Set(names)].join(', ')

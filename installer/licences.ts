import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Component, Sbom } from './sbom.ts'

/** The licence of something that we ship. */
export interface Licence {
  readonly name: string
  readonly version: string
  /** As the package declares it (an SPDX expression), and 12 hex digits of its text's SHA-256. */
  readonly terms: string
  readonly text: string
}

/** The terms that a person has read and accepted, by package; in installer/licences.json. */
export type Accepted = Readonly<Record<string, string>>

const modules = fileURLToPath(new URL('../node_modules', import.meta.url))

/** The licences of all that `bill` names. */
export function licencesOf(bill: Sbom): Licence[] {
  return bill.components.map(component => {
    const name = component.group ? `${component.group}/${component.name}` : component.name
    const text = textOf(component, name)
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 12)
    const terms = `${declared(component)} ${digest}`
    return { name, version: component.version, terms, text }
  })
}

/** What nobody has accepted yet, one line for each; empty where all is well. */
export function findChangedLicences(shipped: readonly Licence[], accepted: Accepted): string[] {
  return shipped.flatMap(({ name, version, terms }) => {
    const before = Object.hasOwn(accepted, name) ? accepted[name] : undefined
    if (before === terms) return []
    const was = before === undefined ? 'is new' : `was "${before}"`
    return [
      `licence of ${name} ${version}: "${terms}", ${was}; read it, and say so in installer/licences.json`,
    ]
  })
}

/** Lays each licence's text into `folder`, as their terms ask of whoever passes them on. */
export function layLicences(shipped: readonly Licence[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const { name, version, text } of shipped) {
    writeFileSync(join(folder, `${name.replace('/', '-')}-${version}.txt`), text)
  }
}

function declared({ licenses = [] }: Component): string {
  const terms = licenses.map(each => each.expression ?? each.license?.id ?? each.license?.name)
  return terms.join(' AND ')
}

function textOf(component: Component, name: string): string {
  const found = component.evidence?.licenses ?? []
  const texts = found.map(each => Buffer.from(each.license?.text?.content ?? '', 'base64'))
  if (texts.length > 0) return texts.map(each => each.toString('utf8')).join('\n\n')
  // Some small packages keep their terms in the README only.
  const readme = join(modules, name, 'README.md')
  return existsSync(readme) ? readFileSync(readme, 'utf8') : ''
}

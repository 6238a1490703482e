// Who imports whom in agent/, read from the source as text: types count too.

import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The files of agent/, each with what it imports: files as paths from the root, packages by name. */
export function readImports(): Map<string, string[]> {
  const files = globSync('agent/**/*.ts', { cwd: ROOT }).filter(file => !file.endsWith('.d.ts'))
  return new Map(
    files.map(file => {
      const named = readCode(file).matchAll(/(?:^|\s)(?:from|import)[ (]'([^']+)'/g)
      return [file, [...named].map(([, name = '']) => resolve(file, name))]
    }),
  )
}

/** A file's text without its comments. */
export function readCode(file: string): string {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return text.replace(/^\s*(\/\/|\/?\*).*$/gm, '')
}

/** Everything that a file imports, itself or through others of agent/. */
export function reachedFrom(file: string, imports: Map<string, string[]>): Set<string> {
  const reached = new Set<string>()
  const visit = (name: string) => {
    for (const next of imports.get(name) ?? []) {
      if (reached.has(next)) continue
      reached.add(next)
      visit(next)
    }
  }
  visit(file)
  return reached
}

function resolve(file: string, name: string): string {
  return name.startsWith('.') ? normalize(join(dirname(file), name)) : name
}

// docs/recipes/*.md as lists of things to do.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeBlocks, readPage } from '../../docs/code-blocks.ts'

export type RecipeStep = { line: number; section: string; rotated: boolean } & (
  | { do: 'run'; script: string }
  | { do: 'lay'; path: string; text: string }
)

export interface Recipe {
  name: string
  steps: RecipeStep[]
  /** The Debian packages that its `apt-get install` lines name. */
  packages: string[]
}

const FOLDER = join(import.meta.dirname, '../../../docs/recipes')

// How the program comes to the hosts, and what else is on them; the others publish the bundle.
const ELSEWHERE = ['ansible', 'cloud-init', 'images', 'fail2ban']

/** Every recipe for publishing the bundle. */
export function readRecipes(): Recipe[] {
  const names = readdirSync(FOLDER).map(name => name.replace(/\.md$/, ''))
  return names
    .filter(name => ![...ELSEWHERE, 'README'].includes(name))
    .sort()
    .map(readRecipe)
}

/** One recipe. Throws on a block without a mark: whether it is run must have been decided. */
export function readRecipe(name: string): Recipe {
  const steps: RecipeStep[] = []
  const page = readPage(`docs/recipes/${name}.md`)
  const rotation = page.slice(0, page.indexOf('\n## A rotation\n')).split('\n').length
  for (const { mark, text, line } of codeBlocks(page)) {
    const rotated = line > rotation
    const above = page.split('\n').slice(0, line)
    const section = above.findLast(each => each.startsWith('## '))?.slice(3) ?? ''
    const where = { line, section, rotated }
    const path = /^file=(\/\S+)$/.exec(mark)?.[1]
    if (path !== undefined) steps.push({ do: 'lay', path, text, ...where })
    else if (mark === 'run') steps.push({ do: 'run', script: text, ...where })
    else if (mark !== 'not-run') throw new Error(`docs/recipes/${name}.md:${line}: no mark`)
  }
  const packages = steps.flatMap(step =>
    step.do === 'run'
      ? [...step.script.matchAll(/^apt-get install --yes (.+)$/gm)].flatMap(([, list = '']) =>
          list.split(' '),
        )
      : [],
  )
  return { name, steps, packages }
}

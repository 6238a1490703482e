// docs/recipes/*.md as lists of things to do.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeBlocks, readPage } from '../../docs/code-blocks.ts'

export type RecipeStep =
  | { do: 'run'; script: string; line: number; rotated: boolean }
  | { do: 'lay'; path: string; text: string; line: number; rotated: boolean }

export interface Recipe {
  name: string
  steps: RecipeStep[]
  /** The Debian packages that its `apt-get install` lines name. */
  packages: string[]
}

const FOLDER = join(import.meta.dirname, '../../../docs/recipes')

/** Every recipe. Throws on a block without a mark: whether it is run must have been decided. */
export function readRecipes(): Recipe[] {
  const names = readdirSync(FOLDER).filter(name => name !== 'README.md')
  return names.sort().map(name => readRecipe(name.replace(/\.md$/, '')))
}

function readRecipe(name: string): Recipe {
  const steps: RecipeStep[] = []
  const page = readPage(`docs/recipes/${name}.md`)
  const rotation = page.slice(0, page.indexOf('\n## A rotation\n')).split('\n').length
  for (const { mark, text, line } of codeBlocks(page)) {
    const rotated = line > rotation
    const path = /^file=(\/\S+)$/.exec(mark)?.[1]
    if (path !== undefined) steps.push({ do: 'lay', path, text, line, rotated })
    else if (mark === 'run') steps.push({ do: 'run', script: text, line, rotated })
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

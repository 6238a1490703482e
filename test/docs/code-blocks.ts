// The fenced code blocks of a Markdown page (CommonMark §4.5).

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CodeBlock {
  language: string
  /** What stands behind the language: `run`, `not-run`, `file=/etc/…`. Readers never see it. */
  mark: string
  text: string
  /** Of the fence, from 1. */
  line: number
}

const DOCS = join(import.meta.dirname, '../../docs')

/** Every page below docs/, and the README, by its path in the repository. */
export function readPages(): Map<string, string> {
  const pages = readdirSync(DOCS, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`)
  return new Map(['README.md', ...pages.sort()].map(path => [path, readPage(path)]))
}

/** A page by its path in the repository. */
export function readPage(path: string): string {
  return readFileSync(join(DOCS, '..', path), 'utf8')
}

/** The blocks in their order; one inside a list loses its indent. */
export function codeBlocks(page: string): CodeBlock[] {
  const fence = /^( *)(`{3,})(\S*)[ \t]*(.*)\n([\s\S]*?)^ *\2[ \t]*$/gm
  return [...page.matchAll(fence)].map(
    ([, indent = '', , language = '', mark = '', body = ''], index, all) => ({
      language,
      mark: mark.trim(),
      text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: page.slice(0, all[index]?.index).split('\n').length,
    }),
  )
}

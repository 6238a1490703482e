// Lines of the documentation that start this program.

import { codeBlocks } from './code-blocks.ts'

const NAME = 'pomerium-host-agent'

/** The words behind the program's name, in code blocks and in `code spans` of a page. */
export function commandLines(page: string): string[][] {
  const blocks = codeBlocks(page)
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
  const prose = page.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replaceAll('\n', ' '))
  return [...blocks, ...spans].flatMap(line => {
    const commands = line.split(/(?:&&|\|\||[|;])|(?:^|\s)#.*$/)
    return commands.flatMap(command => wordsOf(command) ?? [])
  })
}

function wordsOf(command: string): string[][] | undefined {
  const words = command.trim().split(/\s+/)
  const at = words.findIndex(word => word !== 'sudo' && !/^[A-Z_]+=/.test(word))
  if (words[at] !== NAME) return undefined
  const redirect = words.findIndex(word => /^[0-9]?[<>]/.test(word))
  return [words.slice(at + 1, redirect === -1 ? undefined : redirect)]
}

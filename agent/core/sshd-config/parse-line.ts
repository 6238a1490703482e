import { trimChars } from '../basics/trim-chars.ts'
import type { Syntax } from './syntax.ts'

export interface ConfigLine {
  /** In lower case: sshd compares keywords without regard to case. */
  keyword: string
  args: string[]
}

/**
 * Parses one line of sshd_config as sshd does: `keyword`, white space or one `=`, arguments
 * (servconf.c, process_server_config_line; the keyword by misc.c's strdelim). `undefined` where the
 * line sets nothing: empty, comment, or quotes that do not close, which sshd refuses.
 */
export function parseConfigLine(
  text: string,
  syntax: Syntax = 'since-8.7',
): ConfigLine | undefined {
  const line = trimChars(text, ' \t\r', ' \t\r\n\f')
  let token = splitWord(line)
  // Nothing before the first delimiter: sshd tries once more, for which `= Port 22` sets the port.
  if (token?.word === '') token = splitWord(token.rest)
  if (token === undefined || token.word === '' || token.word.startsWith('#')) return undefined
  const args = syntax === 'before-8.7' ? splitWords(token.rest) : splitArguments(token.rest)
  return args && { keyword: token.word.replaceAll(/[A-Z]/g, lowerCase), args }
}

// strcasecmp(3) in the C locale, in which sshd runs: no other letters have a case.
const lowerCase = (letter: string) => letter.toLowerCase()

function splitWord(line: string): { word: string; rest: string } | undefined {
  const [, before = line, delimiter, tail = ''] =
    /^([^ \t\r\n"=]*)([ \t\r\n"=])(.*)$/s.exec(line) ?? []
  if (delimiter !== '"') return { word: before, rest: afterDelimiter(delimiter, tail) }
  // A quote opens even in the middle of a word, and the word ends where it closes.
  const close = tail.indexOf('"')
  if (close < 0) return undefined
  return {
    word: before + tail.slice(0, close),
    rest: tail.slice(close + 1).replace(/^[ \t\r\n]+/, ''),
  }
}

function afterDelimiter(delimiter: string | undefined, tail: string): string {
  return tail.replace(delimiter === '=' ? /^[ \t\r\n]*/ : /^[ \t\r\n]*=?[ \t\r\n]*/, '')
}

/** As strdelim takes them, one after the other, up to an empty one or a quote that does not close. */
function splitWords(text: string): string[] {
  const words: string[] = []
  for (let token = splitWord(text); token && token.word !== ''; token = splitWord(token.rest)) {
    words.push(token.word)
  }
  return words
}

/**
 * As argv_split takes them. Quotes of both kinds group, a backslash escapes quotes, itself and, outside
 * quotes, a space.
 */
function splitArguments(text: string): string[] | undefined {
  const args: string[] = []
  let at = 0
  while (at < text.length) {
    const start = text.charAt(at)
    if (start === ' ' || start === '\t') {
      at += 1
      continue
    }
    // Only where an argument would begin: `/a#b` is one argument.
    if (start === '#') break
    let arg = ''
    let quote = ''
    for (; at < text.length; at += 1) {
      const char = text.charAt(at)
      const next = text.charAt(at + 1)
      if (char === '\\' && (/^['"\\]$/.test(next) || (quote === '' && next === ' '))) {
        arg += next
        at += 1
      } else if (quote === '' && (char === ' ' || char === '\t')) break
      else if (quote === '' && (char === '"' || char === "'")) quote = char
      else if (char === quote) quote = ''
      else arg += char
    }
    if (quote !== '') return undefined
    args.push(arg)
  }
  return args
}

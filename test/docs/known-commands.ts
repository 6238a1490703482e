// The commands and flags of the program, read from its source as text.

import { readCode, readImports } from '../house/imports.ts'

export interface KnownCommand {
  flags: ReadonlySet<string>
}

const imports = readImports()

/** By name, as `plan` or `bundle create`. */
export function readKnownCommands(): Map<string, KnownCommand> {
  return new Map([
    ...commandsIn('agent/main.ts', ''),
    ...commandsIn('agent/cli/bundle.ts', 'bundle '),
  ])
}

/** Lines `name: async () => (await import('./…')).name`, as the tables of commands have them. */
function commandsIn(file: string, prefix: string): [string, KnownCommand][] {
  const table = readCode(file).matchAll(
    /^ {2}'?([\w-]+)'?: async \(\) =>\s*\(?await import\('\.\/([^']+)'\)/gm,
  )
  return [...table].map(([, name = '', path = '']) => {
    const folder = file.slice(0, file.lastIndexOf('/'))
    return [prefix + name, { flags: flagsOf(`${folder}/${path}`) }]
  })
}

// A flag is declared for parseArgs, in the command's own file or in one of cli that it imports.
function flagsOf(file: string): Set<string> {
  const flags = new Set(['help'])
  const seen = new Set<string>()
  const visit = (name: string) => {
    if (seen.has(name) || !/^agent\/cli\/.+\.ts$/.test(name)) return
    seen.add(name)
    const code = readCode(name)
    for (const [, flag = ''] of code.matchAll(
      /'?([a-z][a-z-]*)'?: \{ type: '(?:string|boolean)'/g,
    )) {
      flags.add(flag)
    }
    for (const [, flag = ''] of code.matchAll(/'--([a-z-]+)'/g)) flags.add(flag)
    for (const next of imports.get(name) ?? []) visit(next)
  }
  visit(file)
  return flags
}

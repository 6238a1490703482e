#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import type { Command } from './cli/terminal/invocation.ts'
import { AgentError } from './core/basics/agent-error.ts'
import { own } from './core/basics/own-property.ts'

// Each command is loaded when it is called: what root runs never loads network code.
const COMMANDS: Record<string, () => Promise<Command>> = {
  apply: async () => (await import('./cli/apply.ts')).apply,
  plan: async () => (await import('./cli/plan.ts')).plan,
  status: async () => (await import('./cli/status.ts')).status,
  remove: async () => (await import('./cli/remove.ts')).remove,
  provision: async () => (await import('./cli/provision.ts')).provision,
  run: async () => (await import('./cli/run.ts')).run,
  repair: async () => (await import('./cli/repair.ts')).repair,
  configure: async () => (await import('./cli/configure.ts')).configure,
  fetch: async () => (await import('./cli/fetch.ts')).fetch,
  bundle: async () => (await import('./cli/bundle.ts')).bundle,
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', unheard)
/** What was to be printed could not be. */
let unwritten = false
const code = await main(process.argv.slice(2))
process.exitCode = code === 0 && unwritten ? 2 : code

// Whoever reads us may leave before the end (`status | head -1`): what is done is done all the same, and
// the exit code says how. Words that could not be written for another reason (a full disk) are said to be.
function unheard(this: NodeJS.WriteStream, error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE' || this === process.stderr) return
  fail(`standard output can't be written: ${error.message}`)
  unwritten = true
  process.exitCode ||= 2
}

async function main([name = '--help', ...args]: string[]): Promise<number> {
  if (name === '--version') return say(process.stdout, `pomerium-host-agent ${version()}\n`, 0)
  const load = own(COMMANDS, name)
  const isHelp = name === '--help' || name === 'help'
  if (load === undefined && !isHelp) return fail(`there is no command "${name}"; see --help`)
  const ownHelp = name === 'bundle'
  if (load === undefined || (args.includes('--help') && !ownHelp)) {
    return say(process.stdout, (await import('./cli/help.ts')).HELP, 0)
  }
  try {
    const command = await load()
    return await command({
      args,
      environment: process.env,
      self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
      version: version(),
      isRoot: process.getuid?.() === 0,
    })
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return fail(error.message, error.code === 'usage' ? 2 : 1)
  }
}

function fail(message: string, code = 2): number {
  return say(process.stderr, `pomerium-host-agent: ${message}\n`, code)
}

function say(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(text)
  return code
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

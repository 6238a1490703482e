import { own } from '../core/basics/own-property.ts'
import { type Command, type Invocation, UsageError } from './terminal/invocation.ts'
import { print } from './terminal/screen.ts'

// Each is loaded when it is called, as in `main`.
const COMMANDS: Record<string, () => Promise<Command>> = {
  create: async () => (await import('./bundle/create.ts')).create,
  sign: async () => (await import('./bundle/sign.ts')).sign,
  verify: async () => (await import('./bundle/verify.ts')).verify,
  show: async () => (await import('./bundle/show.ts')).show,
  diff: async () => (await import('./bundle/diff.ts')).diff,
  serve: async () => (await import('./bundle/serve.ts')).serve,
  notify: async () => (await import('./bundle/notify.ts')).notify,
  rotate: async () => (await import('./bundle/rotate.ts')).rotate,
  status: async () => (await import('./bundle/status.ts')).status,
  'new-secret': async () => (await import('./bundle/new-secret.ts')).newSecret,
  'new-signer': async () => (await import('./bundle/new-signer.ts')).newSigner,
}

/** The operator's commands: `bundle create`, `bundle show` and so on. */
export async function bundle(invocation: Invocation): Promise<number> {
  const [name = '--help', ...args] = invocation.args
  const load = own(COMMANDS, name)
  const isHelp = name === '--help' || name === 'help'
  if (load === undefined && !isHelp) {
    throw new UsageError(`there is no "bundle ${name}"; see bundle --help`)
  }
  if (load === undefined || args.includes('--help')) {
    const { BUNDLE_HELP, COMMAND_HELP } = await import('./bundle/help.ts')
    print(own(COMMAND_HELP, name) ?? BUNDLE_HELP)
    return 0
  }
  return (await load())({ ...invocation, args })
}

import type { Config } from '../core/config/config.ts'
import { optional } from '../core/optional.ts'
import { type Host, openHost } from '../provisioner/host.ts'
import { type HostFlags, parseHostFlags } from './flags.ts'
import { type Invocation, UsageError } from './invocation.ts'
import { loadConfig } from './load-config.ts'

/** Throws UsageError where a command that changes the host is not run by root. */
export function requireRoot({ isRoot }: Invocation, command: string): void {
  if (!isRoot) throw new UsageError(`${command} needs root; run it with sudo`)
}

/** An error in the log, for whoever watches it, whatever becomes of the outcome. */
async function alarm(code: string, message: string): Promise<void> {
  const { openLog } = await import('./log.ts')
  const log = await openLog()
  log.error({ event: 'alarm', code }, message)
}

/** What every command on a host starts with: its flags, the config and the host. */
export async function onHost(
  invocation: Invocation,
  { asRoot }: { asRoot?: string } = {},
): Promise<{ flags: HostFlags; config: Config; host: Host }> {
  const flags = parseHostFlags(invocation.args)
  const config = loadConfig(flags, invocation)
  if (asRoot !== undefined) requireRoot(invocation, asRoot)
  return { flags, config, host: await openHostFor(invocation, flags, config) }
}

/** The host that the flags name, by this config. */
export async function openHostFor(
  invocation: Invocation,
  flags: HostFlags,
  config: Config,
): Promise<Host> {
  const again = flags.config === undefined ? [] : ['--config', flags.config]
  const opened = await openHost(config.sshd, flags.root, command => [
    ...invocation.self,
    command,
    ...again,
  ])
  const { textfile: path } = config.metrics
  const textfile = path === undefined ? undefined : { path, version: invocation.version }
  return { ...opened, alarm, ...optional('textfile', textfile) }
}

import { optional } from '../../core/basics/when-defined.ts'
import type { Config } from '../../core/config/config.ts'
import type { Host } from '../../provisioner/host/host.ts'
import { openHost } from '../../provisioner/open-host.ts'
import { type HostFlags, parseHostFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'
import { loadConfig, loadConfigToLeave, type ToLeave } from './load-config.ts'

/** Throws UsageError where a command that changes the host is not run by root. */
export function requireRoot({ isRoot }: Invocation, command: string): void {
  if (!isRoot) throw new UsageError(`${command} needs root; run it with sudo`)
}

/** An error in the log, for whoever watches it, whatever becomes of the outcome. */
async function alarm(code: string, message: string): Promise<void> {
  const { openLog } = await import('../terminal/log.ts')
  const log = await openLog()
  log.error({ event: 'alarm', code }, message)
}

/**
 * What every command on a host starts with: its flags, the config and the host. `leaving`: a config that
 * is not good is no reason to stay.
 */
export async function onHost(
  invocation: Invocation,
  { asRoot, leaving = false }: { asRoot?: string; leaving?: boolean } = {},
): Promise<{ flags: HostFlags; config: Config; host: Host }> {
  const flags = parseHostFlags(invocation.args)
  if (asRoot !== undefined) requireRoot(invocation, asRoot)
  const read: ToLeave = leaving
    ? loadConfigToLeave(flags, invocation)
    : { config: loadConfig(flags, invocation), isThere: true }
  if (read.problem !== undefined) {
    process.stderr.write(`note: the config is not read, the record is gone by: ${read.problem}\n`)
  }
  return { flags, config: read.config, host: await openHostFor(invocation, flags, read) }
}

/** The host that the flags name, by this config; where there is none, by what is on record. */
export async function openHostFor(
  invocation: Invocation,
  flags: HostFlags,
  { config, isThere = true }: { config: Config; isThere?: boolean },
): Promise<Host> {
  const again = flags.config === undefined ? [] : ['--config', flags.config]
  const opened = await openHost(
    config.sshd,
    flags.root,
    command => [...invocation.self, command, ...again],
    { isRoot: invocation.isRoot, recorded: !isThere },
  )
  const { textfile: path } = config.metrics
  const textfile = path === undefined ? undefined : { path, version: invocation.version }
  return { ...opened, alarm, ...optional('textfile', textfile) }
}

import { realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { AgentError } from '../core/basics/agent-error.ts'
import { messageAt } from '../core/basics/format-place.ts'
import { DEFAULT_CONFIG_FILE } from '../core/config/config.ts'
import { layoutOf } from '../core/config/layout.ts'
import { mergeSettings } from '../core/config/merge-settings.ts'
import { describeOpenTrust } from '../core/config/open-trust.ts'
import { parseConfig } from '../core/config/parse-config.ts'
import { SETTING_NAMES, type SettingName, settingOf } from '../core/config/settings.ts'
import { EXIT } from '../core/outcome/exit-codes.ts'
import { messageOf } from '../core/outcome/failures.ts'
import { exitCodeOf } from '../core/outcome/outcome-rows.ts'
import {
  SERVICE_ENVIRONMENT_FILE,
  serviceEnvironment,
} from '../core/services/service-environment.ts'
import { credentialFiles } from '../core/services/unit-drop-ins.ts'
import { runExclusively } from '../provisioner/exclusive-run.ts'
import { errorCode, realFileSystem } from '../provisioner/files/file-system.ts'
import { readNamedFile } from '../provisioner/files/named-file.ts'
import { SetupError } from '../provisioner/installation/setup-error.ts'
import { AGENT_USER, findUser } from '../provisioner/processes/system-user.ts'
import { readStatus } from '../provisioner/records/status-file.ts'
import { clearStoodDown, readStoodDown } from '../provisioner/records/stood-down.ts'
import { readPollRecord } from '../provisioner/records/textfile.ts'
import { remove } from '../provisioner/remove.ts'
import { copyCredentials } from '../provisioner/setup/copy-credentials.ts'
import { oneAtATime } from '../provisioner/setup/one-at-a-time.ts'
import {
  hostInit,
  proveServices,
  setUp,
  standDown,
  stopAll,
  undoSetUp,
  type Wish,
} from '../provisioner/setup/set-up.ts'
import { checkFiles } from './host/check-files.ts'
import {
  describeFailed,
  describeNote,
  describeTrouble,
  refusal,
  refuseFaults,
} from './host/configure-screens.ts'
import { configErrors } from './host/load-config.ts'
import { onHost, requireRoot } from './host/open-command-host.ts'
import { parseFlags } from './terminal/flags.ts'
import { type Invocation, UsageError } from './terminal/invocation.ts'
import { printOutcome } from './terminal/print-outcome.ts'
import { paint, print, wrapped } from './terminal/screen.ts'

/**
 * Puts the config file in force beyond the program itself: user, credentials, services, the timer,
 * the webhook's socket. The installer calls it with its flags, an operator after an edit with none.
 */
export async function configure(invocation: Invocation): Promise<number> {
  const flags = parse(invocation.args)
  requireRoot(invocation, 'configure')
  const program = dirname(dirname(realpathSync(invocation.self.at(-1) ?? '')))
  try {
    if (flags['hand-over']) return await giveSecrets(invocation)
    return await oneAtATime(() => {
      if (flags['stand-down']) return standServicesDown(invocation)
      return flags.undo ? undo(invocation, program) : putInForce(invocation, flags, program)
    })
  } catch (error) {
    const isHosts = error instanceof AgentError ? error.code !== 'usage' : errorCode(error)
    if (!isHosts) throw error
    process.stderr.write(`pomerium-host-agent: ${messageOf(error)}\n`)
    return EXIT.hostRefused
  }
}

async function putInForce(
  { environment }: Invocation,
  flags: ReturnType<typeof parse>,
  program: string,
): Promise<number> {
  const { copies, settings, given } = readCopies(flags.copy)
  for (const [name, value] of pairs(flags.set)) settings.set(name, value)
  const { config, text, placeOf } = merged(settings)
  const forServices = serviceEnvironment(environment, readIfThere(SERVICE_ENVIRONMENT_FILE))
  const { sandboxed } = hostInit().init
  const notes = refuseFaults(checkFiles(config, given, { sandboxed }), placeOf, flags)
  const wish = {
    ...{ config, configText: text, copies, program },
    ...(forServices.kind === 'file' ? { environment: forServices.content } : {}),
    ...(flags.resident ? { resident: true } : flags.asleep ? { resident: false } : {}),
    start: !flags['no-start'],
    renewed: flags.renewed,
  }
  const place = { fs: realFileSystem, at: (path: string) => path, layout: layoutOf(config.sshd) }
  const stoodDown = readStoodDown(place) !== undefined
  // An upgrade is nobody's wish to follow again.
  const stayDown = stoodDown && flags.renewed
  const changed = await setUp({ ...wish, stoodDown, stayDown })
  if (!stayDown) clearStoodDown(place)
  for (const path of changed) print(`  ${path}`)
  if (forServices.kind === 'refused') {
    notes.push(
      `the services are not given the proxy of this shell: ${forServices.why}; say one in ${SERVICE_ENVIRONMENT_FILE}`,
    )
  }
  // Once: where the settings are laid or changed, and not at each look.
  const open = changed.includes(DEFAULT_CONFIG_FILE) ? describeOpenTrust(config) : undefined
  if (open !== undefined) notes.push(open)
  for (const line of notes.flatMap(describeNote)) print(line)
  if (stayDown) {
    print('the agent stands down as before, until apply or configure')
    return 0
  }
  if (flags['no-start'] || !hostInit().running) {
    if (changed.length === 0)
      print(`${paint('green', 'unchanged')}: all is laid; nothing is started`)
    return 0
  }
  const failed = await proveServices(config)
  if (failed.length > 0) {
    process.stderr.write(`pomerium-host-agent: ${describeFailed(failed).join('\n')}\n`)
    return EXIT.hostRefused
  }
  const trouble = describeTrouble(readPollRecord(place), readStatus(place))
  for (const line of trouble) print(line)
  if (trouble.length === 0 && changed.length === 0) {
    print(`${paint('green', 'unchanged')}: all is in place`)
  }
  return 0
}

// For inits that can't hand a secret to a service: called by its script, as root.
async function giveSecrets(invocation: Invocation): Promise<number> {
  const { config } = await onHost({ ...invocation, args: [] })
  const user = await findUser(AGENT_USER)
  if (user === undefined) throw new SetupError(`there is no user ${AGENT_USER}`)
  copyCredentials(credentialFiles(config), user.gid)
  return 0
}

// Before the program goes and the trust stays: called by the packages.
async function standServicesDown(invocation: Invocation): Promise<number> {
  const { config } = await onHost({ ...invocation, args: [] }, { leaving: true })
  await standDown(config)
  return 0
}

async function undo(invocation: Invocation, program: string): Promise<number> {
  const { config, host } = await onHost({ ...invocation, args: [] }, { leaving: true })
  await stopAll(config)
  const outcome = await runExclusively(host, new Date(), () => remove(host))
  printOutcome(outcome, false)
  const code = exitCodeOf(outcome)
  if (code !== 0) return code
  for (const folder of await undoSetUp({ config, program })) {
    print(`${folder} stays: there are files in it that are not ours`)
  }
  return 0
}

function merged(settings: Map<SettingName, string>) {
  const name = DEFAULT_CONFIG_FILE
  const merge = mergeSettings({ name, text: readIfThere(name) }, settings)
  if ('errors' in merge) throw configErrors(merge.errors)
  // The environment of whoever calls this is not that of the services.
  const parsed = parseConfig({ name, text: merge.text }, {})
  if ('errors' in parsed) throw configErrors(parsed.errors)
  const { config, places } = parsed
  if (config.source.url === undefined) {
    throw new UsageError(`${name} has no source.url: say where the CA keys are published`)
  }
  // What a flag has given has no line yet.
  const placeOf = (setting: SettingName) => {
    const place = settings.has(setting) ? undefined : places.get(setting)
    return place === undefined ? setting : messageAt(place.where, { ...place, message: setting })
  }
  return { config, text: merge.text, placeOf }
}

function readIfThere(path: string): string | undefined {
  const file = readNamedFile(path)
  if (file.kind === 'unfit') throw refusal([`  ${path} ${file.problem}`])
  return file.kind === 'file' ? file.content.toString() : undefined
}

function readCopies(flags: string[]) {
  const settings = new Map<SettingName, string>()
  const copies: Wish['copies'] = []
  const given = new Map<SettingName, { path: string; content: Buffer }>()
  for (const [name, path] of pairs(flags)) {
    const place = settingOf(name).keptAt
    if (place === undefined) throw new UsageError(`${name} is no file that is kept`)
    const file = readNamedFile(path)
    if (file.kind !== 'file') throw refusal(wrapped(`${name}: ${path} ${file.problem}`, '  '))
    // One that lies with the rest already is the operator's to keep.
    const kept = realpathSync(path).startsWith('/etc/pomerium/')
    settings.set(name, kept ? realpathSync(path) : place.path)
    if (kept) continue
    copies.push({ ...place, content: file.content })
    given.set(name, { path, content: file.content })
  }
  return { settings, copies, given }
}

function pairs(given: string[]): [SettingName, string][] {
  return given.map(each => {
    const at = each.indexOf('=')
    const name = SETTING_NAMES.find(known => known === each.slice(0, at))
    if (name === undefined) throw new UsageError(`"${each}" is not setting=value`)
    return [name, each.slice(at + 1)]
  })
}

function parse(args: string[]) {
  const options = {
    set: { type: 'string', multiple: true, default: [] as string[] },
    copy: { type: 'string', multiple: true, default: [] as string[] },
    resident: { type: 'boolean', default: false },
    asleep: { type: 'boolean', default: false },
    undo: { type: 'boolean', default: false },
    renewed: { type: 'boolean', default: false },
    'no-start': { type: 'boolean', default: false },
    'hand-over': { type: 'boolean', default: false },
    'stand-down': { type: 'boolean', default: false },
  } as const
  return parseFlags({ args, options }).values
}

import { posix } from 'node:path'
import type { Config } from '../config/config.ts'
import { CREDENTIALS, credentialIn } from '../config/credentials.ts'
import { layoutOf } from '../config/layout.ts'
import { SETTINGS, settingOf } from '../config/settings.ts'

const UNITS = '/etc/systemd/system'
/** The poll's service; where the agent stays, all of the network wing. */
export const SERVICE = 'pomerium-host-agent.service'
export const WEBHOOK_SERVICE = 'pomerium-host-agent-webhook.service'
/** Boot's to start, and nobody else's. */
export const BOOT_SERVICE = 'pomerium-host-agent-boot.service'
export const PROVISIONER = 'pomerium-host-agent-provisioner.service'
export const REPAIR_SERVICE = 'pomerium-host-agent-repair.service'
export const WATCH_SERVICE = 'pomerium-host-agent-watch.service'
/** The services of the root wing that write. */
const WRITERS = [PROVISIONER, REPAIR_SERVICE, BOOT_SERVICE]
const TIMER = 'pomerium-host-agent.timer'
const WEBHOOK_SOCKET = 'pomerium-host-agent-webhook.socket'
/** Made where the daemon is to stay, and where the webhook listens: also who can't read the config sees it. */
export const RESIDENT_DROP_IN = dropInPath(SERVICE, 'resident')
export const WEBHOOK_DROP_IN = dropInPath(WEBHOOK_SOCKET, 'listen')
const PROGRAM = '/usr/local/bin/pomerium-host-agent'
/** What the timer unit says by itself, in seconds. */
const USUAL_POLL = SETTINGS['source.poll_interval'].default

/** A file that the settings want beside the units; `undefined` content: that it is not there. */
export interface SettingsFile {
  path: string
  content: string | undefined
}

/** The files that are handed over to the daemon; only those that it takes to ask the source, where so wanted. */
export function credentialFiles(config: Config, { forSource = false } = {}): string[] {
  const wanted = CREDENTIALS.filter(each => !forSource || settingOf(each).credential === 'source')
  const paths = wanted.map(each => credentialIn(config, each)).filter(path => path !== undefined)
  return [...new Set(paths)]
}

/**
 * The drop-ins that carry the settings which systemd acts on (systemd.unit(5)). `former`: files that were
 * written by other settings and are to be given back.
 */
export function unitDropIns(
  config: Config,
  { resident, former = [] }: { resident: boolean; former?: readonly string[] },
): SettingsFile[] {
  const { source, webhook } = config
  const all = credentialFiles(config)
  const forSource = credentialFiles(config, { forSource: true })
  const loading = (files: readonly string[]) =>
    files.map(path => `LoadCredential=${posix.basename(path)}:${path}`)
  const hears = !resident && webhook.listen !== undefined
  const folders = writableFolders(config, former).map(folder => `ReadWritePaths=${folder}`)
  return [
    dropIn(SERVICE, 'credentials', 'Service', loading(resident ? all : forSource)),
    dropIn(WEBHOOK_SERVICE, 'credentials', 'Service', hears ? loading(all) : []),
    dropIn(SERVICE, 'resident', 'Service', resident ? RESIDENT : []),
    dropIn(
      TIMER,
      'poll',
      'Timer',
      source.pollIntervalSeconds === USUAL_POLL ? [] : pollLines(source.pollIntervalSeconds),
    ),
    dropIn(
      WEBHOOK_SOCKET,
      'listen',
      'Socket',
      // The first line takes the unit's own away.
      webhook.listen === undefined ? [] : ['ListenStream=', `ListenStream=${webhook.listen}`],
    ),
    ...WRITERS.map(unit => dropIn(unit, 'folders', 'Service', folders)),
  ]
}

const RESIDENT = [
  'ExecStart=',
  `ExecStart=${PROGRAM} run --resident`,
  'Restart=on-failure',
  'RestartSec=5s',
]

// An empty assignment takes every clock of the timer away (systemd.timer(5)), that of boot too.
function pollLines(seconds: number): string[] {
  return [
    'OnBootSec=',
    'OnBootSec=15s',
    `OnUnitInactiveSec=${seconds}s`,
    `RandomizedDelaySec=${Math.max(1, Math.round(seconds / 10))}s`,
  ]
}

const ALLOWED = ['/etc/ssh', '/usr/etc/ssh', '/var/lib']
const isNew = (folder: string) =>
  !ALLOWED.some(each => folder === each || folder.startsWith(`${each}/`))

/** The folders beyond what its units allow that the root wing writes to: missing, it could not even start. */
export function ownFolders({ sshd }: Pick<Config, 'sshd'>): string[] {
  const { caFolder, dropInFolder } = layoutOf(sshd)
  return [...new Set([caFolder.path, dropInFolder.path])].filter(isNew)
}

// Where the root wing writes beside what its unit allows it already.
function writableFolders(config: Config, former: readonly string[]): string[] {
  const { textfile } = config.metrics
  const needed = ownFolders(config)
  // One is somebody else's to make, and what lay in the others is given back: they may be missing.
  const told = [...(textfile === undefined ? [] : [textfile]), ...former].map(posix.dirname)
  const optional = told.filter(folder => isNew(folder) && !needed.includes(folder))
  return [...needed, ...new Set(optional.map(folder => `-${folder}`))]
}

function dropInPath(unit: string, name: string): string {
  return `${UNITS}/${unit}.d/${name}.conf`
}

function dropIn(unit: string, name: string, section: string, lines: string[]): SettingsFile {
  const path = dropInPath(unit, name)
  if (lines.length === 0) return { path, content: undefined }
  const head = '# Made by `pomerium-host-agent configure` from /etc/pomerium/host-agent.yaml.'
  return { path, content: `${[head, `[${section}]`, ...lines].join('\n')}\n` }
}

/** The units that boot starts, which repair, wake us or are us, and those that it must not, by the settings. */
export function unitsToStart(
  { webhook }: { webhook: Pick<Config['webhook'], 'listen'> },
  { resident }: { resident: boolean },
): { wanted: string[]; unwanted: string[] } {
  const base = [
    BOOT_SERVICE,
    'pomerium-host-agent-provisioner.socket',
    'pomerium-host-agent-watch.path',
    'pomerium-host-agent-repair.path',
  ]
  const [timer, socket] = [TIMER, WEBHOOK_SOCKET]
  // The resident listens for itself, and has a clock of its own.
  if (resident) return { wanted: [...base, SERVICE], unwanted: [timer, socket] }
  return webhook.listen === undefined
    ? { wanted: [...base, timer], unwanted: [SERVICE, socket] }
    : { wanted: [...base, timer, socket], unwanted: [SERVICE] }
}

/** Of units that boot starts, those that may be started now as well: one of them is for boot alone. */
export function startableNow(units: readonly string[]): string[] {
  return units.filter(unit => unit !== BOOT_SERVICE)
}

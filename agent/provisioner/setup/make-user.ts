import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { note, type Site } from '../installation/install-record.ts'
import { SetupError } from '../installation/setup-error.ts'
import type { Run } from '../processes/run-command.ts'
import { AGENT_USER } from '../processes/system-user.ts'

const DATABASES = ['passwd', 'group', 'shadow', 'gshadow'] as const
const LOCK = '/etc/.pwd.lock'

// The first that is there: systemd's own, that of shadow (Debian, Red Hat, SUSE), that of busybox.
const MAKERS = [
  [['systemd-sysusers', `${AGENT_USER}.conf`]],
  [
    [
      ...['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/'],
      ...['--shell', '/usr/sbin/nologin', '--comment', 'Pomerium host agent', AGENT_USER],
    ],
  ],
  [
    ['addgroup', '-S', AGENT_USER],
    ['adduser', '-S', '-D', '-H', '-h', '/', '-s', '/sbin/nologin', '-G', AGENT_USER, AGENT_USER],
  ],
]
const REMOVERS = [
  ['userdel', AGENT_USER],
  ['groupdel', AGENT_USER],
  ['deluser', AGENT_USER],
  ['delgroup', AGENT_USER],
]

/** Makes the system user and its group where they are missing; returns the group's number. */
export async function ensureUser(site: Site, run: Run): Promise<{ uid: number; gid: number }> {
  const found = lookUp(site)
  if (found !== undefined) return found
  // A run that was cut off may have made the group already: what it kept is from before that.
  if (!site.record.madeUser) keepBackups(site)
  note(site, record => {
    record.madeUser = true
  })
  const failures: string[] = []
  for (const commands of MAKERS) {
    for (const command of commands) {
      const { code, stderr } = await run(command)
      if (code !== 0 && code !== 127) failures.push(`${command[0]}: ${stderr.trim()}`)
      if (code !== 0) break
    }
    const made = lookUp(site)
    if (made !== undefined) {
      site.changed.push('/etc/passwd')
      return made
    }
  }
  throw new SetupError(
    `the user ${AGENT_USER} can't be made: ${failures.join('; ') || 'neither systemd-sysusers, useradd nor adduser is here'}`,
  )
}

/** Takes away the user that we made. */
export async function undoUser(site: Site, run: Run): Promise<void> {
  if (!site.record.madeUser) return
  for (const command of REMOVERS) {
    if (holds(site, 'passwd') || holds(site, 'group')) await run(command)
  }
  if (holds(site, 'passwd')) throw new SetupError(`the user ${AGENT_USER} can't be removed`)
  restoreBackups(site)
}

/** By the files, not by NSS: a chroot has no name service, and a user of ours is local. */
function lookUp({ at }: Site): { uid: number; gid: number } | undefined {
  const entry = lines(at, 'passwd').find(line => line.startsWith(`${AGENT_USER}:`))
  const group = lines(at, 'group').find(line => line.startsWith(`${AGENT_USER}:`))
  if (entry === undefined || group === undefined) return undefined
  return { uid: Number(entry.split(':')[2]), gid: Number(group.split(':')[2]) }
}

const holds = ({ at }: Site, database: 'passwd' | 'group') =>
  lines(at, database).some(line => line.startsWith(`${AGENT_USER}:`))

function lines(at: Site['at'], database: string): string[] {
  return readFileSync(at(`/etc/${database}`), 'utf8').split('\n')
}

// Whoever adds a user leaves /etc/passwd- and its like behind, as they were before. They are part of
// "as it was found", so what stood there is kept aside, with owner and mode, in our own root-only folder.
function keepBackups(site: Site): void {
  const folder = beforeFolder(site)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of DATABASES) {
    copyWithAccess(site.at(`/etc/${name}-`), join(folder, `${name}-`))
    const hash = digest(site.at(`/etc/${name}`))
    if (hash !== undefined) copyText(join(folder, `${name}.sha256`), hash)
  }
  if (existsSync(site.at(LOCK))) copyText(join(folder, 'pwd.lock'), '')
}

function restoreBackups(site: Site): void {
  const folder = beforeFolder(site)
  if (!existsSync(folder)) return
  for (const name of DATABASES) {
    const mark = join(folder, `${name}.sha256`)
    const before = existsSync(mark) ? readFileSync(mark, 'utf8') : undefined
    // Somebody else has changed it meanwhile, and the backup is theirs.
    if (before !== digest(site.at(`/etc/${name}`))) continue
    rmSync(site.at(`/etc/${name}-`), { force: true })
    copyWithAccess(join(folder, `${name}-`), site.at(`/etc/${name}-`))
  }
  if (!existsSync(join(folder, 'pwd.lock'))) rmSync(site.at(LOCK), { force: true })
}

const beforeFolder = ({ at, recordFile }: Site) => join(dirname(at(recordFile)), 'users-before')

function copyText(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
}

function copyWithAccess(from: string, to: string): void {
  if (!existsSync(from)) return
  const { mode, uid, gid } = lstatSync(from)
  copyFileSync(from, to)
  chownSync(to, uid, gid)
  chmodSync(to, mode & 0o7777)
}

function digest(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

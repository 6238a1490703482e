// A real sshd on loopback that needs no root and touches nothing of the machine it runs on.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { type Ca, type Certificate, generateKey } from './ssh-ca.ts'
import {
  type Destination,
  type LoginResult,
  openSshSession,
  type Session,
  sshLogin,
} from './ssh-client.ts'
import { tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

export interface SshdLogin {
  /** Whose certificate to come with: a new one of Pomerium's shape… */
  ca?: Ca
  /** …or this one. */
  certificate?: Certificate
  /** Who runs the tests, or as whom sshd runs, if not given; without root nobody else can log in. */
  user?: string
  /** The address of 127.0.0.0/8 to come from. */
  from?: string
  command?: string
}

export interface ThrowawaySshd extends AsyncDisposable {
  /** The folder that stands for `/`: its etc/ssh/sshd_config is sshd's, and includes its
   * etc/ssh/sshd_config.d/*.conf. */
  readonly root: string
  readonly port: number
  readonly pid: number
  /** The user that `login` takes if none is given. */
  readonly user: string
  /** What sshd logged so far, at LogLevel VERBOSE. */
  log(): string
  login(options: SshdLogin): Promise<LoginResult>
  openSession(options: SshdLogin): Promise<Session>
  /** SIGHUP: sshd reads its config again. Rejects with the log if sshd leaves over it. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts sshd on a free port of 127.0.0.1 with a host key of its own. `config` stands at the end of
 * sshd_config, after the Include. Everything is gone after `stop`, or with this process.
 */
export async function startThrowawaySshd({ config = '' } = {}): Promise<ThrowawaySshd> {
  const tools = findTools()
  if (!tools.ok) throw new Error(tools.why)
  const folder = await tempDir()
  const etc = join(folder.path, 'etc/ssh')
  await mkdir(join(etc, 'sshd_config.d'), { recursive: true })
  await generateKey(join(etc, 'ssh_host_ed25519_key'), 'ed25519')
  const port = await freePort()
  await writeFile(join(etc, 'sshd_config'), sshdConfig(folder.path, port, config))

  const sshd = [tools.sshd, '-D', '-e', '-f', join(etc, 'sshd_config')]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...tools.prefix, ...sshd])
  let log = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    log += text
  })
  let gone = false
  // Not 'close': sessions that outlive sshd, as they should, hold its stderr.
  const left = new Promise<void>(resolve => child.once('exit', () => resolve())).then(() => {
    gone = true
  })
  // sshd says so after it has bound the port, at the start and after every SIGHUP.
  const listened = () => log.split(`Server listening on 127.0.0.1 port ${port}`).length - 1
  // It listens before it handles SIGHUP, which would kill it until then; it writes its PID file after,
  // and takes the file away at each SIGHUP (main and sighup_restart in sshd.c).
  const handlesHangup = () => existsSync(join(folder.path, 'sshd.pid'))
  const listening = async (times: number) => {
    while (listened() < times || !handlesHangup()) {
      if (gone) throw new Error(`sshd left:\n${log}`)
      await sleep(2)
    }
  }
  const { user } = tools
  const destination = async (options: SshdLogin): Promise<Destination> => {
    const name = options.user ?? user
    const credentials = options.certificate ?? (await options.ca?.issue({ principals: [name] }))
    if (credentials === undefined) throw new Error('a login needs a CA or a certificate')
    return { user: name, host: '127.0.0.1', port, credentials, from: options.from }
  }
  const stop = async () => {
    const sessions = gone ? [] : childrenOf(child.pid)
    child.kill('SIGKILL')
    await left
    for (const pid of sessions) process.kill(pid, 'SIGKILL')
    await folder[Symbol.asyncDispose]()
  }
  try {
    await listening(1)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    root: folder.path,
    port,
    // setpriv, and unshare and sh or another setpriv, have become sshd by now.
    pid: child.pid ?? 0,
    user,
    log: () => log,
    login: async options => sshLogin(await destination(options), options.command),
    openSession: async options => openSshSession(await destination(options)),
    async restart() {
      const before = listened()
      child.kill('SIGHUP')
      await listening(before + 1)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function sshdConfig(root: string, port: number, rest: string): string {
  return `Include ${root}/etc/ssh/sshd_config.d/*.conf
ListenAddress 127.0.0.1
Port ${port}
HostKey ${root}/etc/ssh/ssh_host_ed25519_key
PidFile ${root}/sshd.pid
LogLevel VERBOSE
UsePAM no
StrictModes no
AuthorizedKeysFile none
${rest}
`
}

function childrenOf(pid: number | undefined): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return list.split(' ').filter(Boolean).map(Number)
}

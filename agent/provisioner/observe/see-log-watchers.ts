import { AgentError, isThrown } from '../../core/basics/agent-error.ts'
import {
  type LogWatcher,
  parseIgnored,
  parseJails,
  parseWhitelist,
  whitelistOf,
} from '../../core/services/log-watchers.ts'
import type { HostFiles } from '../files/config-files.ts'
import { isThere } from '../files/file-system.ts'
import { type Run, runCommand } from '../processes/run-command.ts'

const CLIENT = '/usr/bin/fail2ban-client'
const SSHGUARD = ['/usr/sbin/sshguard', '/usr/local/sbin/sshguard']
const SSHGUARD_CONF = ['/etc/sshguard/sshguard.conf', '/etc/sshguard.conf']

/**
 * What reads sshd's log here and bans. fail2ban is asked what is in force, by its own client: its files
 * are a language; where it is stopped it bans nobody. sshguard can't be asked, and has a list. Root's.
 */
export async function seeLogWatchers(
  host: HostFiles,
  run: Run = runCommand,
): Promise<LogWatcher[]> {
  if (host.tree) return []
  return [await fail2ban(host, run), sshguard(host)].filter(each => each !== undefined)
}

async function fail2ban({ fs, at }: Pick<HostFiles, 'fs' | 'at'>, run: Run) {
  if (![CLIENT, '/run/fail2ban/fail2ban.sock'].every(path => isThere(fs, at(path)))) return
  const program = 'fail2ban' as const
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await run([CLIENT, ...args])
    if (code !== 0)
      throw new AgentError('unanswered', lastLine(stderr || stdout) || `exit code ${code}`)
    return stdout
  }
  try {
    const jails = new Map<string, string[]>()
    for (const name of parseJails(await ask('status'))) {
      jails.set(name, parseIgnored(await ask('get', name, 'ignoreip')))
    }
    return { program, jails }
  } catch (error) {
    if (!isThrown(error, 'unanswered')) throw error
    return { program, silent: error.message }
  }
}

const lastLine = (text: string) => text.trim().split('\n').at(-1) ?? ''

function sshguard({ fs, at }: Pick<HostFiles, 'fs' | 'at'>): LogWatcher | undefined {
  if (!SSHGUARD.some(path => isThere(fs, at(path)))) return undefined
  const program = 'sshguard' as const
  const conf = SSHGUARD_CONF.find(path => isThere(fs, at(path)))
  // Without one it does not start.
  if (conf === undefined) return undefined
  const read = (path: string) => fs.readFileSync(at(path), 'utf8')
  try {
    const whitelist = whitelistOf(read(conf))
    return whitelist === undefined
      ? { program, whitelist: `a file that WHITELIST_FILE in ${conf} names`, spares: [] }
      : {
          program,
          whitelist,
          spares: isThere(fs, at(whitelist)) ? parseWhitelist(read(whitelist)) : [],
        }
  } catch (error) {
    return { program, silent: error instanceof Error ? error.message : String(error) }
  }
}

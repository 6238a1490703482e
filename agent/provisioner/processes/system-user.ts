import { runCommand } from './run-command.ts'

/** The system user that the network wing runs as. */
export const AGENT_USER = 'pomerium-host-agent'

/** A user's numbers, by getent(1), which asks every source of nsswitch.conf(5); never root's. */
export async function findUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const { code, stdout } = await runCommand(['getent', 'passwd', name])
  const [, , uid, gid] = stdout.split(':').map(Number)
  return code === 0 && uid !== undefined && gid !== undefined && uid > 0 ? { uid, gid } : undefined
}

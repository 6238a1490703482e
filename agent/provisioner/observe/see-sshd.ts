import { optional } from '../../core/basics/when-defined.ts'
import type { SshdSeen } from '../../core/services/sshd-seen.ts'
import type { EffectiveConfig } from '../../core/sshd-config/effective-config.ts'
import type { Host } from '../host/host.ts'
import { openProcessTable, type ProcessTable } from '../processes/process-table.ts'
import { configuredPorts, listeningPorts } from '../sshd/listening.ts'

/**
 * The sshd of this host as it is now: by its init, by the processes, and by the ports that the kernel
 * has open. Needs no root; `effective` (`sshd -T`), which does, says which ports are meant.
 */
export async function seeSshd(
  host: Host,
  effective: EffectiveConfig | undefined,
  processes: ProcessTable = openProcessTable(),
): Promise<SshdSeen> {
  const { state, command } = await host.service.found()
  const pid = 'mainPid' in state ? state.mainPid : undefined
  // With hidepid (proc(5)) only root sees the processes of others.
  const hidden = processes.read(1, 'status') === undefined
  const listens = state.kind === 'running' ? state.argv !== undefined : pid !== undefined
  const wanted = effective === undefined ? [] : configuredPorts(effective)
  // Behind a socket it is the socket's ports that count.
  const own = state.kind === 'running' && state.socket === undefined && pid !== undefined
  const open = own && wanted.length > 0 ? listeningPorts(processes, pid, wanted) : []
  return {
    kind: state.kind,
    ...('unit' in state ? { unit: state.unit } : {}),
    ...('result' in state ? { result: state.result } : {}),
    ...('load' in state ? optional('load', state.load) : {}),
    ...(hidden ? {} : { listener: listens }),
    ...('forgotten' in state ? optional('forgotten', pid) : {}),
    ...('insteadOf' in state ? optional('insteadOf', state.insteadOf) : {}),
    ...(own && wanted.length > 0
      ? { ports: { wanted, closed: wanted.filter(port => !open.includes(port)) } }
      : {}),
    ...optional('start', command),
  }
}

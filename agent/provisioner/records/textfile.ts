import { dirname } from 'node:path'
import { listensOn } from '../../core/network/listening-ports.ts'
import { messageOf } from '../../core/outcome/failures.ts'
import type { Removal } from '../../core/plan/plan-remove.ts'
import { metricsInput } from '../../core/report/metrics-input.ts'
import { NO_POLLS, type PollRecord, parsePollRecord } from '../../core/report/poll-record.ts'
import { removeFile, writeFileAtomically } from '../files/atomic-write.ts'
import { errorCode } from '../files/file-system.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { openProcessTable } from '../processes/process-table.ts'
import { listeningPorts } from '../sshd/listening.ts'
import { isDamaged, readState, type State, writeState } from './state.ts'
import { readStatus } from './status-file.ts'

const MODE = 0o644

/**
 * Writes what Prometheus' node exporter reads, where that is wanted; the temporary name does not end
 * in `.prom`, which the exporter looks for. Returns what keeps it from being written: nothing that
 * was done for sshd depends on it.
 */
export async function writeTextfile(host: Host): Promise<string | undefined> {
  try {
    followTextfile(host)
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return `metrics.textfile: ${host.layout.stateFile.path} can't be written: ${messageOf(error)}`
  }
  if (host.textfile === undefined) return undefined
  const { path, version } = host.textfile
  try {
    const obstacle = obstacleAt(host, path)
    if (obstacle !== undefined) return `metrics.textfile: ${obstacle}`
    // Loaded late: most hosts have no textfile.
    const { renderMetrics } = await import('../../core/report/metrics.ts')
    const status = readStatus(host)
    const listens = host.tree ? undefined : sshdListens(status?.ports)
    const polls = readPollRecord(host)
    const text = await renderMetrics(metricsInput(status, polls, version, listens, new Date()))
    const spec = { content: Buffer.from(text), mode: MODE, ...host.owner }
    writeFileAtomically(host.fs, host.at(path), spec)
    return undefined
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    const remedy =
      errorCode(error) === 'EROFS'
        ? `; allow it: ReadWritePaths=${dirname(path)} in a drop-in for our units`
        : ''
    return `metrics.textfile: ${path} can't be written: ${messageOf(error)}${remedy}`
  }
}

// This wing has a network of its own: that of the host is init's.
function sshdListens(ports: readonly number[] | undefined): boolean | undefined {
  return ports && listensOn(ports, listeningPorts(openProcessTable(), 1, ports))
}

/** Where it lies, by the settings, and by the record of those before. */
export function textfilesOf({ textfile }: Host, { written = [] }: State): string[] {
  const before = written.flatMap(({ path, is }) => (is === 'textfile' ? [path] : []))
  return [...new Set([...before, ...(textfile === undefined ? [] : [textfile.path])])]
}

/** Takes it away; what can't be harms nobody, and is told. */
export function removeTextfiles({ fs, at }: Host, paths: readonly string[]): Removal['left'] {
  return paths.flatMap(path => {
    try {
      if (lookAt(fs, at(path)).kind === 'file') removeFile(fs, at(path))
      return []
    } catch (error) {
      if (errorCode(error) === undefined) throw error
      const why = `${path} can't be removed: ${messageOf(error)}`
      return [{ written: { path, is: 'textfile' as const }, why }]
    }
  })
}

/** Notes where it lies from now on, and takes it away where a setting of before had it. */
function followTextfile(host: Host): void {
  const state = readState(host)
  if (isDamaged(state)) return
  const path = host.textfile?.path
  const known = (state.written ?? []).filter(({ is }) => is === 'textfile')
  const former = known.flatMap(each => (each.path === path ? [] : [each.path]))
  const isNew = path !== undefined && !known.some(each => each.path === path)
  if (former.length === 0 && !isNew) return
  const left = removeTextfiles(host, former).map(({ written }) => written)
  const others = (state.written ?? []).filter(each => !former.includes(each.path))
  const own = isNew ? [{ path, is: 'textfile' as const }] : []
  writeState(host, { ...state, written: [...others, ...left, ...own] }, state)
}

/**
 * Why no textfile can be written at `path`; `undefined` where one can. Its folder is somebody else's to
 * make, and a link could take it anywhere.
 */
export function obstacleAt({ fs, at }: Pick<Host, 'fs' | 'at'>, path: string): string | undefined {
  const folder = dirname(path)
  const { kind } = lookAt(fs, at(folder))
  if (kind === 'missing') return `there is no folder ${folder}; make it, or change the setting`
  if (kind !== 'folder') return `${folder} is not a folder, or a link to one; name it as it is`
  const file = lookAt(fs, at(path))
  return file.kind === 'missing' || file.kind === 'file'
    ? undefined
    : `${path} is not a regular file; move away what is there`
}

/** What the daemon saw, in its own words: none of it decides anything. */
export function readPollRecord({ fs, at, layout }: Pick<Host, 'fs' | 'at' | 'layout'>): PollRecord {
  const file = lookAt(fs, at(layout.pollRecord.path))
  return file.kind === 'file' ? parsePollRecord(file.content.toString()) : NO_POLLS
}

import type { Host } from './host.ts'

/**
 * What a service's main process takes of the memory, in KiB, as PSS: pages that it shares are shared
 * out (proc(5), smaps_rollup). `undefined` where it does not run.
 */
export async function pssOf(host: Host, unit: string): Promise<number | undefined> {
  const { MainPID = '0' } = await host.unitProperties(unit, ['MainPID'])
  if (MainPID === '0') return undefined
  const file = `/proc/${MainPID}/smaps_rollup`
  const { stdout } = await host.exec(['cat', file], { allowFail: true })
  const kib = /^Pss:\s+(\d+) kB$/m.exec(stdout)?.[1]
  return kib === undefined ? undefined : Number(kib)
}

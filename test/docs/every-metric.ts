import { renderMetrics } from '../../agent/core/report/metrics.ts'

/** Every metric that there is, with its help. */
export async function everyMetric(): Promise<string[][]> {
  const at = new Date(0)
  const text = await renderMetrics({
    ...{
      version: '1',
      trusted: [{ type: 't', fingerprint: 'f', comment: '' }],
      revoked: [{ type: 't', fingerprint: 'f', comment: '' }],
      cycles: {},
    },
    ...{ effective: true, effectiveSeen: at, sshdListens: true, contested: false, serial: 1 },
    ...{ issued: at, expires: at, accepted: at, lastSuccess: at, lastCycle: at, restarts: 0 },
    ...{ restartDue: false, driftRepairs: 0, clockSkewSeconds: 0 },
  })
  return [...text.matchAll(/^# HELP (\S+) (.+?)\.?$/gm)].map(([, name = '', help = '']) => [
    name,
    help,
  ])
}

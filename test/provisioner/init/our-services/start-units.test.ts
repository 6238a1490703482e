import { expect, test } from 'vitest'
import { startUnits } from '../../../../agent/provisioner/init/our-services/start-units.ts'

const PROVISIONER = 'pomerium-host-agent-provisioner.service'
const WEBHOOK = 'pomerium-host-agent-webhook.service'

// As systemd 252 did in an upgrade under webhooks: "Job canceled", exit code 1.
test('a stop that is cancelled by whoever comes to the socket becomes a restart', async () => {
  const calls: string[] = []
  const run = async (argv: readonly string[]) => {
    const line = argv.filter(word => word !== '--quiet').join(' ')
    calls.push(line)
    const isCancelled = line === `systemctl stop ${PROVISIONER}`
    return { code: isCancelled ? 1 : 0, stdout: '', stderr: '' }
  }
  const site = { at: (path: string) => path, recordFile: '', changed: [], record: {} as never }
  await startUnits(site, { wanted: [], unwanted: [], renewed: true }, run)
  expect(calls).toContain(`systemctl try-restart ${PROVISIONER}`)
  expect(calls).not.toContain(`systemctl try-restart ${WEBHOOK}`)
})

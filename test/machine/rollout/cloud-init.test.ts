import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { login } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { bootOperatorHost, HOME, type OperatorHost } from './operator-host.ts'

const SEED = '/var/lib/cloud/seed/nocloud'
// No firmware to find the seed by, and no locales to set: our hosts are smaller than a cloud's image.
const SYSTEM = 'datasource_list: [NoCloud]\nlocale: false\n'

describeTier('cloud-init installs it at the first boot', machineTier(), () => {
  let it: OperatorHost
  beforeAll(async () => {
    it = await bootOperatorHost('cloud-init', 'bookworm')
    await it.follow('The user-data')
  })
  afterAll(() => it?.[Symbol.asyncDispose]())

  test.each(suitesFor({ slice: ['bookworm'] }))('%s', async suite => {
    const userData = await it.host.read(`${HOME}/user-data`)
    const host = await it.bootMember(2 + suites.indexOf(suite), {
      suite,
      packages: ['cloud-init'],
      async prepare(files) {
        await files.write(`${SEED}/user-data`, userData)
        await files.write(`${SEED}/meta-data`, `instance-id: first-${suite}\n`)
        await files.write('/etc/cloud/cloud.cfg.d/90-test.cfg', SYSTEM)
      },
    })
    onTestFinished(() => host.stop())
    const { stdout } = await host.exec('cloud-init status --wait --long', {
      allowFail: true,
      timeoutMs: 120_000,
    })
    const said = await host.read('/var/log/cloud-init-output.log')
    expect(stdout, said).toMatch(/status: done$/m)
    expect(said).toContain(it.ca.fingerprint)
    expect((await login(host, { ca: it.ca })).outcome).toBe('accepted')
  })
})

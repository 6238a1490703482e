import { expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { makeCa } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { login, openSession } from '../harness/login.ts'
import { suitesFor } from '../harness/share.ts'
import { CA_FILE } from '../hosts/agent-host.ts'
import { bootProvisionerHost } from '../hosts/provisioner-host.ts'

const UNIT = '/etc/systemd/system/ssh.service.d/broken.conf'

describeTier('an established session', machineTier(), () => {
  test.each(suitesFor({ slice: ['trixie'] }))(
    'survives a rotation, a rollback and a remove on %s',
    async suite => {
      await using first = await makeCa('ed25519', 'first')
      await using second = await makeCa('ed25519', 'second')
      await using it = await bootProvisionerHost({ suite })
      const { host } = it
      const starts = async () => {
        const { MainPID } = await host.unitProperties('ssh.service', ['MainPID'])
        return MainPID
      }
      expect((await it.apply(first.publicKey)).code).toBe(0)
      await using session = await openSession(host, { ca: first })
      await session.echo('before')

      const old = await starts()
      expect((await it.apply(second.publicKey)).outcome.outcome).toBe('applied')
      expect(await starts()).not.toBe(old)
      expect((await login(host, { ca: first })).outcome).toBe('refused')
      await session.echo('after a rotation')

      const [, blob = ''] = first.publicKey.split(' ')
      const pre = `ExecStartPre=/bin/sh -c '! grep -qF ${blob} ${CA_FILE}'`
      await host.write(UNIT, `[Service]\n${pre}\nRestart=no\n`)
      await host.exec('systemctl daemon-reload')
      expect((await it.apply(first.publicKey)).outcome.outcome).toBe('rolled-back')
      await session.echo('after a rollback')
      await host.exec(`rm ${UNIT}; systemctl daemon-reload`)

      expect((await it.agent('remove')).code).toBe(0)
      expect((await login(host, { ca: second })).outcome).toBe('refused')
      await session.echo('after a remove')
    },
  )
})

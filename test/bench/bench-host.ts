// The one host on which everything is measured, in turn.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bootWebhookHost, type WebhookHost } from '../machine/hosts/webhook-host.ts'
import { makeCa } from '../sshd/ssh-ca.ts'

/** Where the script of a person keeps its key: apart from ours, or one would undo the other. */
export const SCRIPT_CA_FILE = '/etc/ssh/script_user_ca.pub'

/** The baseline: what a person would write, who knows that the file must be swapped whole. */
export const SCRIPT = `#!/bin/sh
set -eu
new=${SCRIPT_CA_FILE}.new
curl -fsS --cacert /etc/pomerium/control-plane-ca.pem -o "$new" https://localhost:8443/bundle
ssh-keygen -l -f "$new" >/dev/null
mv "$new" ${SCRIPT_CA_FILE}
sshd -t
systemctl restart ssh
`

/** Boots a Debian 12 host with the program, the script, and Google's agent, which does not run yet. */
export async function bootBenchHost(productLayer: string): Promise<WebhookHost> {
  const it = await bootWebhookHost({
    suite: 'bookworm',
    productLayer,
    packages: ['google-guest-agent'],
    prepare: async files => {
      const wanted = join(files.root, 'etc/systemd/system/multi-user.target.wants')
      for (const name of ['guest-agent', 'startup-scripts', 'shutdown-scripts']) {
        await rm(join(wanted, `google-${name}.service`))
      }
      await files.write('/root/rotate.sh', SCRIPT, { mode: 0o755 })
    },
  })
  await using ca = await makeCa()
  await it.publish(ca.publicKey)
  await it.host.exec('systemctl start pomerium-host-agent.service')
  await quiet(it)
  return it
}

/** Waits until what a rotation sets off behind itself, the look of the repair, is over. */
export async function quiet({ host }: WebhookHost): Promise<void> {
  await host.exec(`sleep 0.3
    while test -e /run/pomerium-host-agent/drift ||
      systemctl show -P ActiveState pomerium-host-agent-watch.timer \
        pomerium-host-agent-watch.service pomerium-host-agent-repair.service | grep -qvx -e inactive -e ''
    do sleep 0.1; done`)
}

/** Gives back the restarts that were spent: neither we nor the script are to wait for systemd's limit. */
export async function forgetRestarts({ host }: WebhookHost): Promise<void> {
  await host.exec('rm -f /var/lib/pomerium-host-agent/restarts.json; systemctl reset-failed ssh')
}

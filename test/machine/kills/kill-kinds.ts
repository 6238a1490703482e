// Every kind of plan on a booted host: how to come to where it begins, and the job that is killed.

import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import type { ProvisionerHost } from '../hosts/provisioner-host.ts'
import type { Job } from '../programs/provision-program.ts'

export interface Keys {
  first: string
  second: string
  foreign: string
}

export interface Kind {
  name: string
  /** From a host that trusts `first`, undisturbed. */
  begin(it: ProvisionerHost, keys: Keys): Promise<void>
  job(keys: Keys): Job
  /** Whose certificates must log in at every instant, beside those of the key in our CA file. */
  always?: keyof Keys
  /** Whether sshd has trusted our CA file before the job, and does so after it. */
  trusts: 'before-and-after' | 'after' | 'before'
  /** Takes back what `begin` did beside our own files. */
  end?(it: ProvisionerHost): Promise<void>
}

const MAIN = '/etc/ssh/sshd_config'
const OTHER = '/etc/ssh/sshd_config.d/00-other.conf'
const RESTART = 'systemctl restart ssh'

const revokeSecond = ({ first, second }: Keys): Job => {
  return { op: 'provision', bundle: `${first}\n@revoked ${second}\n` }
}
const provisionFirst = ({ first }: Keys): Job => ({ op: 'provision', bundle: `${first}\n` })
const remove = async (it: ProvisionerHost) => void (await it.run({ op: 'remove' }))

export const kinds: Kind[] = [
  { name: 'a fresh host', begin: remove, job: provisionFirst, trusts: 'after' },
  {
    name: 'a rotation',
    begin: async () => {},
    job: ({ second }) => ({ op: 'provision', bundle: `${second}\n` }),
    trusts: 'before-and-after',
  },
  {
    name: 'a mode that drifted',
    begin: async ({ host }) => void (await host.exec(`chmod 644 ${CA_FILE} ${DROP_IN}`)),
    job: provisionFirst,
    trusts: 'before-and-after',
  },
  {
    name: 'content that drifted, repaired',
    begin: async ({ host }) =>
      void (await host.exec(`echo edited >${CA_FILE}; rm ${DROP_IN}; ${RESTART}`)),
    job: () => ({ op: 'repair' }),
    trusts: 'after',
  },
  {
    name: 'a restart that was put off',
    begin: async ({ host }) => {
      const state = '/var/lib/pomerium-host-agent/state.json'
      await host.exec(`sed -i 's/"restartDue": false/"restartDue": true/' ${state}`)
    },
    job: () => ({ op: 'repair' }),
    trusts: 'before-and-after',
  },
  {
    name: 'a config that changed',
    begin: it => it.configure('sshd:\n  accept_from: [127.0.0.0/8]\n'),
    job: provisionFirst,
    trusts: 'before-and-after',
    end: it => it.configure(),
  },
  {
    name: 'a block in sshd_config',
    async begin(it) {
      await withoutInclude(it)
    },
    job: provisionFirst,
    trusts: 'after',
    end: withInclude,
  },
  {
    name: 'another owner adopted',
    async begin(it, { foreign }) {
      await remove(it)
      await it.host.write('/etc/ssh/other.pub', `${foreign}\n`)
      await it.host.write(OTHER, 'TrustedUserCAKeys /etc/ssh/other.pub\n')
      await it.host.exec(RESTART)
      await it.configure('sshd:\n  conflict: adopt\n')
    },
    job: provisionFirst,
    always: 'foreign',
    trusts: 'after',
    async end(it) {
      await remove(it)
      await it.host.exec(`rm ${OTHER} /etc/ssh/other.pub; ${RESTART}`)
      await it.configure()
    },
  },
  {
    name: 'a key that is revoked',
    begin: letForeignIn,
    job: revokeSecond,
    always: 'foreign',
    trusts: 'before-and-after',
    end: shutForeignOut,
  },
  {
    name: 'one that is revoked no longer',
    begin: letForeignInAndRevoke,
    job: provisionFirst,
    always: 'foreign',
    trusts: 'before-and-after',
    end: shutForeignOut,
  },
  {
    name: 'remove with a revoked key',
    begin: letForeignInAndRevoke,
    job: () => ({ op: 'remove' }),
    always: 'foreign',
    trusts: 'before',
    end: shutForeignOut,
  },
  { name: 'remove', begin: async () => {}, job: () => ({ op: 'remove' }), trusts: 'before' },
  {
    name: 'remove with a block',
    async begin(it, keys) {
      await withoutInclude(it)
      await it.run(provisionFirst(keys))
    },
    job: () => ({ op: 'remove' }),
    trusts: 'before',
    end: withInclude,
  },
]

// By a user's own file: a list of revoked keys that is missing would shut them out too.
async function letForeignIn({ host }: ProvisionerHost, { foreign }: Keys): Promise<void> {
  await host.write('/home/alice/.ssh/authorized_keys', `cert-authority ${foreign}\n`)
  await host.exec('chown -R alice: /home/alice/.ssh; chmod 700 /home/alice/.ssh')
}

async function letForeignInAndRevoke(it: ProvisionerHost, keys: Keys): Promise<void> {
  await letForeignIn(it, keys)
  await it.run(revokeSecond(keys))
}

async function shutForeignOut({ host }: ProvisionerHost): Promise<void> {
  await host.exec('rm -r /home/alice/.ssh')
}

async function withoutInclude(it: ProvisionerHost): Promise<void> {
  await remove(it)
  await it.host.exec(`sed -i.orig '/^Include/d' ${MAIN}; ${RESTART}`)
}

async function withInclude(it: ProvisionerHost): Promise<void> {
  await remove(it)
  await it.host.exec(`mv ${MAIN}.orig ${MAIN}; ${RESTART}`)
}

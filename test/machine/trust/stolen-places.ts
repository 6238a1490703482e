// Where a host may trust a CA beside the bundle: each a place that goes on naming it after it was stolen.

import type { Host } from '../harness/host.ts'

const MAIN = '/etc/ssh/sshd_config'

/** A place, and how it is laid on a booted host; sshd has yet to be restarted. */
export interface StolenPlace {
  name: string
  /** Makes the host trust the stolen key, and another CA beside it where that is possible. */
  lay(host: Host, stolen: string, theirs: string): Promise<void>
  /** As whom the stolen key logs in, if not as alice. */
  user?: string
  /** Whether the other CA is to log in, before and after. */
  others?: boolean
}

const authorizedKeys: StolenPlace = {
  name: 'authorized_keys, as cert-authority',
  lay: async (host, stolen, theirs) => {
    const file = '/home/alice/.ssh/authorized_keys'
    await host.write(file, `cert-authority ${stolen}\ncert-authority ${theirs}\n`)
    await host.exec('chown -R alice: /home/alice/.ssh; chmod 700 /home/alice/.ssh')
  },
  others: true,
}
const match: StolenPlace = {
  name: 'a line in a Match',
  lay: async (host, stolen) => {
    await host.write('/etc/ssh/bobs.pub', `${stolen}\n`)
    await append(host, 'Match User bob\n    TrustedUserCAKeys /etc/ssh/bobs.pub\nMatch all\n')
  },
  user: 'bob',
}
const adopted: StolenPlace = {
  name: 'a file that is adopted',
  lay: async (host, stolen, theirs) => {
    await host.write('/etc/ssh/team.pub', `${stolen}\n${theirs}\n`)
    await host.write('/etc/ssh/sshd_config.d/00-team.conf', 'TrustedUserCAKeys /etc/ssh/team.pub\n')
  },
  others: true,
}
const oldLine: StolenPlace = {
  name: 'an old line of sshd_config',
  lay: async (host, stolen, theirs) => {
    await host.write('/etc/ssh/old.pub', `${theirs}\n${stolen}\n`)
    await append(host, 'TrustedUserCAKeys /etc/ssh/old.pub\n')
  },
  others: true,
}
const secondDropIn: StolenPlace = {
  name: 'a second drop-in',
  lay: async (host, stolen) => {
    await host.write('/etc/ssh/second.pub', `${stolen}\n`)
    await host.write('/etc/ssh/sshd_config.d/zz-2.conf', 'TrustedUserCAKeys /etc/ssh/second.pub\n')
  },
}
export const ALL_PLACES: StolenPlace = {
  name: 'all five at once',
  lay: async (host, stolen, theirs) => {
    for (const place of [adopted, secondDropIn, oldLine, authorizedKeys, match]) {
      await place.lay(host, stolen, theirs)
    }
  },
  others: true,
}
export const STOLEN_PLACES = [
  authorizedKeys,
  match,
  adopted,
  oldLine,
  secondDropIn,
  ALL_PLACES,
] as const

/** The second user that some of the places need. */
export async function addBob(host: Host): Promise<void> {
  await host.exec('useradd --create-home --shell /bin/bash --password "*" bob')
}

/** Puts lines behind the last of sshd_config. */
export async function append(host: Host, lines: string): Promise<void> {
  await host.write(MAIN, `${(await host.read(MAIN)).trimEnd()}\n${lines}`)
}

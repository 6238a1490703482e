// `npm run demo` on hosts that have no OpenSSH: it brings one, and the host stays as it was.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { ensureWithoutOpenssh } from '../harness/base.ts'
import type { Running } from '../harness/exec.ts'
import { bootHost, type Host } from '../harness/host.ts'
import { census, difference } from '../harness/host-census.ts'
import { suitesFor } from '../harness/share.ts'

const PROJECT = '/srv/pomerium-host-agent'
const SERVE_FOLDER = join(import.meta.dirname, '../programs/serve-folder.ts')
const LISTS = '/var/lib/apt/lists/*_Packages'
const CACHES = /^\/(root|home\/alice)\/\.cache(\/pomerium-host-agent\b.*)?: nothing → /

const freshLists = 'rm -rf /var/lib/apt/lists/* && apt-get -q update'
// What an upgrade of a mirror leaves of older lists: files that they name are gone.
const goneFromMirror = `${freshLists} && sed -i 's/^Filename: .*/Filename: .\\/gone.deb/' ${LISTS}`

interface Row {
  name: string
  /** What makes it so, as root in the host; the repository can be reached. */
  make: string
  says: RegExp
}

const FETCHES: Row[] = [
  {
    name: 'good lists',
    make: freshLists,
    says: /installs nothing:\n {2}openssh-server, openssh-client and \d+ more, \d\.\d MB$/m,
  },
  {
    name: 'lists of what is no more',
    make: goneFromMirror,
    says: /missing or old\n.* MB, after lists of/,
  },
  {
    name: 'half of OpenSSH',
    make: `${freshLists} && apt-get -qy install openssh-client`,
    says: /^There is no sshd here\. .*\n {2}openssh-server and \d+ more, /,
  },
]

describeTier('the demo without OpenSSH', machineTier(), () => {
  describe.each(suitesFor({ slice: ['trixie'] }))('%s', suite => {
    let host: Host
    let repository: string
    let mirror: Running
    let before: Map<string, string>

    const startMirror = async () => {
      mirror = host.inNetwork([process.execPath, SERVE_FOLDER, repository, '8080'])
      await host.waitFor(
        'the mirror',
        async () => (await host.exec('ss -Hltn sport = :8080')).stdout !== '',
        60_000,
      )
    }
    const stopMirror = async () => {
      mirror.kill()
      await mirror.done
    }
    const demo = (user: string, env: Record<string, string> = {}) =>
      host.exec(`cd ${PROJECT} && node --run demo`, {
        user,
        env,
        allowFail: true,
        timeoutMs: 240_000,
      })
    const packages = async () => (await host.exec('dpkg -l; ls -la /var/log/apt')).stdout

    beforeAll(async () => {
      const made = await ensureWithoutOpenssh(suite)
      repository = made.repository
      const project = join(import.meta.dirname, '../../..')
      const binds = { [project]: PROJECT, [process.execPath]: '/usr/local/bin/node' }
      host = await bootHost({ suite, layers: [made.layer], binds })
      before = await census(host)
    })
    afterAll(() => host?.stop())

    test('brings it for root and for a user, once, and leaves the host as it was', async () => {
      const listed = await packages()
      const alone = await demo('alice')
      expect(alone.code).toBe(1)
      expect(alone.stderr).toMatch(
        /no sshd, ssh, ssh-keygen here, and apt:\n.*Failed to fetch http/,
      )
      expect(alone.stderr).toContain('as root: apt-get install openssh-server')

      await startMirror()
      for (const user of ['root', 'alice']) {
        const { code, stdout, stderr } = await demo(user)
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(stdout).toMatch(/ {2}openssh-server, .* \d\.\d MB, after lists of \d+ B$/m)
        expect(stdout).toMatch(/^Kept for the next time in .*\/\.cache\/pomerium-host-agent\.$/m)
        expect(stdout.match(/✓/g)).toHaveLength(15)
      }
      await stopMirror()
      const again = await demo('alice')
      expect(again.code).toBe(0)
      expect(again.stdout).not.toContain('apt')
      const changed = difference(before, await census(host))
      expect(changed.filter(line => !CACHES.test(line))).toEqual([])
      expect(await packages()).toBe(listed)
      expect((await host.exec('ls /tmp')).stdout).not.toContain('pomerium')
    })

    test.for(FETCHES)('with $name', async ({ name, make, says }) => {
      await startMirror()
      await host.exec(make)
      const { code, stdout } = await demo('alice', { XDG_CACHE_HOME: `/home/alice/with ${name}` })
      await stopMirror()
      expect(stdout).toMatch(says)
      expect(code).toBe(0)
    })

    test.for(['apt-get', 'dpkg-deb'])('without %s it says so', async tool => {
      await host.exec(`mv /usr/bin/${tool} /usr/bin/hidden`)
      const { code, stderr } = await demo('alice', { XDG_CACHE_HOME: `/home/alice/no ${tool}` })
      await host.exec(`mv /usr/bin/hidden /usr/bin/${tool}`)
      expect(code).toBe(1)
      expect(stderr).toMatch(new RegExp(`and no ${tool} to fetch it\ninstall it first; as root`))
    })
  })
})

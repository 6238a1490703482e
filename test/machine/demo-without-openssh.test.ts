// `npm run demo` on hosts that have no OpenSSH: it brings one, and the host stays as it was.

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeTier } from '../sshd/describe-tier.ts'
import { machineTier } from './available.ts'
import { ensureWithoutOpenssh, suites } from './base.ts'
import type { Running } from './exec.ts'
import { bootHost, type Host } from './host.ts'
import { census, difference } from './host-census.ts'
import { shareOf } from './share.ts'

const PROJECT = '/srv/pomerium-host-agent'
const SERVE_FOLDER = join(import.meta.dirname, 'programs/serve-folder.ts')
const LISTS = '/var/lib/apt/lists/*_Packages'
const CACHES = /^\/(root|home\/alice)\/\.cache(\/pomerium-host-agent\b.*)?: nothing → /

// What an upgrade of a mirror leaves of older lists: files that they name are gone.
const goneFromMirror = `apt-get -q update && sed -i 's/^Filename: .*/Filename: .\\/gone.deb/' ${LISTS}`

interface Row {
  name: string
  /** What makes it so, as root in the host; the repository can be reached. */
  make: string
  says: RegExp
}

const FETCHES: Row[] = [
  { name: 'good lists', make: 'apt-get -q update', says: /installs nothing: lib.* MB\)$/m },
  {
    name: 'lists of what is no more',
    make: goneFromMirror,
    says: /missing or old\n.* MB\), after package lists of/,
  },
  {
    name: 'half of OpenSSH',
    make: 'apt-get -qy install openssh-client',
    says: /^no sshd here; apt fetches/,
  },
]

describeTier('the demo without OpenSSH', machineTier(), () => {
  describe.each(suites)('%s', suite => {
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
      const project = join(import.meta.dirname, '../..')
      const binds = { [project]: PROJECT, [process.execPath]: '/usr/local/bin/node' }
      host = await bootHost({ suite, layers: [made.layer], binds })
      before = await census(host)
    })
    afterAll(() => host?.stop())

    test('brings it for root and for a user, once, and leaves the host as it was', async () => {
      const listed = await packages()
      const alone = await demo('alice')
      expect(alone.code).toBe(1)
      expect(alone.stderr).toMatch(/no sshd, ssh, ssh-keygen here, and (.*\n)*.*Failed to fetch http/)
      expect(alone.stderr).toContain('as root: apt-get install openssh-server')

      await startMirror()
      for (const user of ['root', 'alice']) {
        const { code, stdout, stderr } = await demo(user)
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        expect(stdout).toMatch(
          /openssh-client, .*openssh-server.* \(\d\.\d MB\), after package lists/,
        )
        expect(stdout.match(/✓/g)).toHaveLength(15)
      }
      await stopMirror()
      const again = await demo('alice')
      expect(again.code).toBe(0)
      expect(again.stdout).not.toContain('fetches')
      const changed = difference(before, await census(host))
      expect(changed.filter(line => !CACHES.test(line))).toEqual([])
      expect(await packages()).toBe(listed)
      expect((await host.exec('ls /tmp')).stdout).not.toContain('pomerium')
    })

    test.for(shareOf(suite, FETCHES))('with $name', async ({ make, says }) => {
      await startMirror()
      await host.exec(make)
      const { code, stdout } = await demo('alice', { XDG_CACHE_HOME: '/home/alice/other cache' })
      expect(stdout).toMatch(says)
      expect(code).toBe(0)
      await stopMirror()
    })

    test.for(shareOf(suite, ['apt-get', 'dpkg-deb']))('without %s it says so', async tool => {
      await host.exec(`mv /usr/bin/${tool} /usr/bin/hidden`)
      const { code, stderr } = await demo('alice', { XDG_CACHE_HOME: '/home/alice/third' })
      await host.exec(`mv /usr/bin/hidden /usr/bin/${tool}`)
      expect(code).toBe(1)
      expect(stderr).toMatch(new RegExp(`and no ${tool} to fetch it with\ntry`))
    })
  })
})

import { expect, test } from 'vitest'
import { makeTestTls } from '../../control-plane/test-tls.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import type { Ca } from '../../sshd/ssh-ca.ts'
import { machineTier } from '../harness/available.ts'
import { suites } from '../harness/base.ts'
import { bootHost, type Host } from '../harness/host.ts'
import type { FleetHost } from '../hosts/fleet-host.ts'
import { watch } from '../hosts/operator.ts'
import { givenFleet } from './given-fleet.ts'

// A cache that keeps what it was told not to, long after it is true, and longer where the origin is away.
// Longer than a rotation waits, on a machine that is busy too.
const STALE_SECONDS = 45
const STALE_MS = STALE_SECONDS * 2_000
const SITE = (origin: string) => `
proxy_cache_path /var/cache/nginx-bundle keys_zone=bundle:1m inactive=30d;
server {
    listen 8443 ssl;
    ssl_certificate /etc/ssl/bundle.pem;
    ssl_certificate_key /etc/ssl/bundle.key;
    location / {
        proxy_pass ${origin};
        proxy_ssl_trusted_certificate /etc/ssl/origin-ca.pem;
        proxy_ssl_verify on;
        proxy_cache bundle;
        add_header X-Cache $upstream_cache_status;
    }
    location = /bundle {
        proxy_pass ${origin};
        proxy_ssl_trusted_certificate /etc/ssl/origin-ca.pem;
        proxy_ssl_verify on;
        proxy_cache bundle;
        proxy_cache_valid 200 ${STALE_SECONDS}s;
        proxy_ignore_headers Cache-Control Expires;
        proxy_cache_revalidate on;
        proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
        add_header X-Cache $upstream_cache_status;
    }
}
`

describeTier('bundle rotate behind nginx with a cache', machineTier(), () => {
  test('an old copy holds it up and rolls nothing back; nginx stopped and started under way', async () => {
    await using given = await givenFleet()
    const { network, before, after, server: origin } = given
    await using nginx = await bootHost({ suite: 'bookworm', packages: ['nginx-light'] })
    const address = await network.connect(nginx)
    const tls = await makeTestTls({ hosts: [address] })
    await nginx.write('/etc/ssl/bundle.pem', tls.cert)
    await nginx.write('/etc/ssl/bundle.key', tls.key)
    await nginx.write('/etc/ssl/origin-ca.pem', origin.tls.ca)
    await nginx.write('/etc/nginx/sites-enabled/bundle', SITE(new URL(origin.url).origin))
    await nginx.exec('nginx -t && systemctl restart nginx')

    // Where a cache heeds what `bundle serve` says, no request is answered from it without asking.
    expect(await cacheStatus(nginx, '/')).toEqual([200, 'MISS'])
    expect(await cacheStatus(nginx, '/')).toEqual([200, 'MISS'])

    const source = { url: `https://${address}:8443/bundle`, ca: tls.ca }
    const fleet = await Promise.all(suites.map(suite => given.boot({ suite, source })))
    await Promise.all(fleet.map(host => host.poll(before)))
    await using watcher = watch(fleet, before)

    const { rotate } = given.rotation(fleet, '--timeout', '10s')
    // Fetched the moment before: kept for longer than the rotation waits.
    await nginx.exec('rm -rf /var/cache/nginx-bundle/*; systemctl restart nginx')
    expect(await cacheStatus(nginx, '/bundle')).toEqual([200, 'MISS'])
    const old = await nginx.exec(
      'cp -a /var/cache/nginx-bundle /root/old && find /root/old -type f',
    )
    expect(old.stdout).not.toBe('')
    const held = await rotate()
    expect(held.code).toBe(9)
    for (const host of JSON.parse(held.stdout).hosts) {
      expect(host).toMatchObject({ state: 'waiting', code: 'other-bundle', serial: 1 })
      expect(host.message).toContain('serial 1 and not 2')
    }
    await nginx.waitFor(
      'the copy to be old',
      async () => {
        return (await cacheStatus(nginx, '/bundle'))[1] !== 'HIT'
      },
      STALE_MS,
    )
    expect(JSON.parse((await rotate()).stdout)).toMatchObject({ end: 'switch' })

    // The source is away when the new key alone is published: nothing changes, and it is said why.
    watcher.signing(before, after)
    await nginx.exec('systemctl stop nginx')
    watcher.signing(after)
    const away = await rotate(['--switched', '--proved'])
    expect(away.code).toBe(9)
    for (const host of JSON.parse(away.stdout).hosts) {
      expect(host).toMatchObject({ state: 'waiting', trusted: { length: 2 } })
    }
    for (const host of fleet) expect((await host.login(after)).outcome).toBe('accepted')

    // It comes back with a copy from before the rotation, which it must find out to be old.
    await nginx.exec('rm -rf /var/cache/nginx-bundle && cp -a /root/old /var/cache/nginx-bundle')
    await nginx.exec('chown -R www-data /var/cache/nginx-bundle && systemctl start nginx')
    await nginx.waitFor(
      'a fresh copy',
      async () => {
        await cacheStatus(nginx, '/bundle')
        return (await nginx.exec(CURL('/bundle'))).stdout.includes('serial: 3')
      },
      STALE_MS,
    )
    expect(JSON.parse((await rotate()).stdout)).toMatchObject({ end: 'done' })
    await Promise.all(fleet.map(host => proveRotated(host, before, after)))
    expect(watcher.troubles).toEqual([])

    // Whoever restores the oldest copy and cuts the origin off rolls nobody back.
    await nginx.exec('systemctl stop nginx; rm -rf /var/cache/nginx-bundle')
    await nginx.exec(
      'cp -a /root/old /var/cache/nginx-bundle; chown -R www-data /var/cache/nginx-bundle',
    )
    await nginx.exec(`ip route add blackhole ${network.address}/32; systemctl start nginx`)
    await nginx.waitFor(
      'the old copy',
      async () => {
        return (await nginx.exec(CURL('/bundle'))).stdout.includes('serial: 1')
      },
      40_000,
    )
    const again = await rotate()
    expect(JSON.parse(again.stdout)).toMatchObject({ end: 'done' })
    for (const host of fleet) {
      const { code, stdout } = await host.host.exec('pomerium-host-agent apply --json', {
        allowFail: true,
      })
      expect([code, JSON.parse(stdout).code]).toEqual([4, 'rollback'])
      expect(await host.caFile()).toContain(after.publicKey)
    }
    expect(watcher.troubles).toEqual([])
  }, 400_000)
})

const CURL = (path: string) => `curl -sk https://127.0.0.1:8443${path}`

async function cacheStatus(nginx: Host, path: string): Promise<[status: number, cache: string]> {
  const line = `${CURL(path)} -o /dev/null -w '%{http_code} %header{x-cache}'`
  const [status, cache = ''] = (await nginx.exec(line)).stdout.split(' ')
  return [Number(status), cache]
}

async function proveRotated(it: FleetHost, before: Ca, after: Ca): Promise<void> {
  await it.host.waitFor('its logins', async () => {
    const outcomes = [await it.login(after), await it.login(before)]
    return outcomes.map(({ outcome }) => outcome).join() === 'accepted,refused'
  })
}

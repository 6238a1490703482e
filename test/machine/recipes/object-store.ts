// OpenStack Swift with its S3 interface: the one object store of that kind that Debian has.

import type { Host } from '../harness/host.ts'

export const OBJECT_STORE_PACKAGES = [
  'memcached',
  'nginx-light',
  'swift-account',
  'swift-container',
  'swift-object',
  'swift-proxy',
]

const PORTS = { account: 6202, container: 6201, object: 6200 }
const PROXY = 8081

// A store of one disk. Objects are kept in memory: not every file system has the attributes they need.
const storage = (kind: keyof typeof PORTS) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${PORTS[kind]}
workers = 0
mount_check = false
devices = /srv/node
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind === 'object' ? 'mem_object' : kind}
`

const GATEWAY = `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${PROXY}
workers = 0
[pipeline:main]
pipeline = catch_errors cache s3api tempauth proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
[filter:s3api]
use = egg:swift#s3api
auth_pipeline_check = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`

// Anonymous reads are Swift's own business, under its own paths.
const PUBLIC_URL = `server {
    listen 443 ssl;
    server_name s3.example.com;
    ssl_certificate     /etc/ssl/ssh-ca.example.com.pem;
    ssl_certificate_key /etc/ssl/ssh-ca.example.com.key;
    location / { proxy_pass http://127.0.0.1:${PROXY}/v1/AUTH_test/; }
}
`

const S3CFG = `[default]
access_key = test:tester
secret_key = testing
host_base = 127.0.0.1:${PROXY}
host_bucket = 127.0.0.1:${PROXY}
use_https = False
bucket_location = us-east-1
`

/** Starts the store, and lays the keys of its only user. */
export async function startObjectStore(host: Host): Promise<void> {
  await host.write('/etc/swift/swift.conf', '[swift-hash]\nswift_hash_path_suffix = test\n')
  await host.write('/root/.s3cfg', S3CFG, { mode: 0o600 })
  await host.write('/etc/nginx/sites-enabled/s3', PUBLIC_URL)
  await host.write('/etc/swift/test-proxy.conf', GATEWAY)
  const rings: string[] = []
  for (const [kind, port] of Object.entries(PORTS)) {
    await host.write(`/etc/swift/test-${kind}.conf`, storage(kind as keyof typeof PORTS))
    const builder = `swift-ring-builder ${kind}.builder`
    rings.push(`${builder} create 4 1 1`, `${builder} add r1z1-127.0.0.1:${port}/d1 1`)
    rings.push(`${builder} rebalance`)
  }
  await host.exec(`set -e; cd /etc/swift; ${rings.join('; ')}; mkdir -p /srv/node/d1
    chown -R swift /srv/node /etc/swift; systemctl restart nginx memcached`)
  for (const kind of [...Object.keys(PORTS), 'proxy']) {
    host.spawn(`exec swift-${kind}-server /etc/swift/test-${kind}.conf`)
  }
  await host.waitFor(
    'the object store',
    async () => {
      const ports = [...Object.values(PORTS), PROXY].map(port => `sport = :${port}`).join(' or ')
      const { stdout } = await host.exec(`ss -Hltn '( ${ports} )'`)
      return stdout.trim().split('\n').length === 4
    },
    30_000,
  )
}

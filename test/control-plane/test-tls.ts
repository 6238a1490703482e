import { isIP } from 'node:net'
import { generate } from 'selfsigned'

export interface TestTls {
  /** PEM of the CA, for `extraRoots`. */
  ca: string
  /** PEM of the leaf that the CA signed. */
  cert: string
  key: string
}

const DAY_MS = 24 * 60 * 60 * 1000

/** A CA of its own and a leaf for `hosts` (names or addresses), valid from `notBefore` for `days`. */
export async function makeTestTls({
  hosts,
  notBefore = new Date(Date.now() - DAY_MS),
  days = 30,
}: {
  hosts: string[]
  notBefore?: Date
  days?: number
}): Promise<TestTls> {
  const common = { keyType: 'ec', algorithm: 'sha256' } as const
  const ca = await generate([{ name: 'commonName', value: `test CA ${Date.now()}` }], {
    ...common,
    notBeforeDate: new Date(notBefore.getTime() - DAY_MS),
    notAfterDate: new Date(Date.now() + 365 * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const leaf = await generate([{ name: 'commonName', value: hosts[0] ?? 'test' }], {
    ...common,
    notBeforeDate: notBefore,
    notAfterDate: new Date(notBefore.getTime() + days * DAY_MS),
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: hosts.map(host =>
          isIP(host) ? { type: 7 as const, ip: host } : { type: 2 as const, value: host },
        ),
      },
    ],
  })
  return { ca: ca.cert, cert: leaf.cert, key: leaf.private }
}

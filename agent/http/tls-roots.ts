import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { parseRoots } from '../core/network/pem-roots.ts'

// Where distributions keep their roots in one file; the list is Go's, crypto/x509/root_linux.go.
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * The certificates that a source's TLS certificate may lead to: the host's own roots, as for curl there,
 * and the extra ones. Node's bundled roots stand in only on a host that has none: beside the host's
 * they would bring back every root that its administrator removed.
 *
 * The one file is read rather than `tls.getCACertificates('system')`, which parses every file and link
 * of /etc/ssl/certs, each root up to three times: 7 ms against 50.
 */
export async function readTlsRoots(
  extra: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const extraRoots = extra === undefined ? [] : parseRoots(extra)
  return [...(await readSystemRoots(environment)), ...extraRoots]
}

async function readSystemRoots(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const named = environment.SSL_CERT_FILE
  for (const path of named ? [named, ...SYSTEM_FILES] : SYSTEM_FILES) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text.includes('-----BEGIN CERTIFICATE-----')) return [text]
  }
  return rootCertificates
}

import { X509Certificate } from 'node:crypto'
import { AgentError } from '../basics/agent-error.ts'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** `bad-roots`; `line` is where the certificate begins that cannot be read. */
export class BadRootsError extends AgentError {
  readonly line?: number

  constructor(message: string, options?: ErrorOptions & { line: number }) {
    super('bad-roots', message, options)
    if (options !== undefined) this.line = options.line
  }
}

/**
 * The certificates of a PEM file. OpenSSL skips what it cannot read in silence, and the handshake then
 * fails for no visible reason. Throws BadRootsError.
 */
export function parseRoots(pem: string): string[] {
  const certificates = [...pem.matchAll(PEM_CERTIFICATE)]
  if (certificates.length === 0) throw new BadRootsError('no certificate')
  return certificates.map(({ 0: certificate, index }) => {
    try {
      new X509Certificate(certificate)
    } catch (cause) {
      const line = pem.slice(0, index).split('\n').length
      throw new BadRootsError('unreadable certificate', { cause, line })
    }
    return certificate
  })
}

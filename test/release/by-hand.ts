// The commands by which docs/security.md has a person verify a release.

import { VERSION } from '../../installer/build.ts'
import { codeBlocks, readPage } from '../docs/code-blocks.ts'

export interface ByHand {
  fetch: string
  compare: string
  verify: string
  install: string
  packages: string
}

/** Each as it stands on the page, but for the addresses and the fingerprint, which are examples there. */
export function verifyByHand(
  downloads: string,
  fingerprint: string,
  source: readonly string[] = [],
): ByHand {
  const page = readPage('docs/security.md')
  const texts = codeBlocks(page)
    .filter(({ mark }) => mark === 'run')
    .map(({ text }) =>
      text
        .replaceAll('https://downloads.example.com', downloads)
        .replace('SHA256:THE-FINGERPRINT-THAT-YOU-HAVE', fingerprint)
        .replace('--source-url https://ssh-ca.example.com/bundle', source.join(' '))
        .replace('sudo ', '')
        .replaceAll('0.1.0', VERSION),
    )
  const [fetch, compare, verify, install, packages, ...more] = texts
  if (!fetch || !compare || !verify || !install || !packages || more.length > 0) {
    throw new Error(`docs/security.md has ${texts.length} blocks to run`)
  }
  return { fetch, compare, verify, install, packages }
}

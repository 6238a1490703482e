import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Release, ReleaseRefused } from './release.ts'

/** What a person reads when a release is made: what, how large, signed by whom, what next. */
export function renderRelease(release: Release): string {
  const files = readdirSync(release.folder)
  const width = Math.max(...files.map(name => name.length))
  const listed = files.map(name => {
    const size = sizeOf(statSync(join(release.folder, name)).size)
    return `  ${name.padEnd(width)}  ${size.padStart(8)}`
  })
  const { fingerprint, throwaway } = release.signer
  const notes = [
    release.dirty ? '  Uncommitted changes are in it: commit them, and build again.' : undefined,
    throwaway
      ? '  The key was made for this build and is gone: name yours in RELEASE_SIGNING_KEY.'
      : undefined,
  ].filter(note => note !== undefined)
  const warned = notes.length > 0 ? ['For trying, not for publishing:', ...notes, ''] : []
  return `${[
    `pomerium-host-agent ${release.version} of commit ${release.commit}, in ${release.folder}`,
    '',
    ...listed,
    '',
    `Signed by ${fingerprint}`,
    '',
    ...warned,
    ...howToInstall(release.downloadUrl),
  ].join('\n')}\n`
}

// install.sh knows the folder's URL where it was built in, and wants to be told it where not.
function howToInstall(downloadUrl: string | undefined): string[] {
  if (downloadUrl !== undefined) {
    return [
      `Next: put the folder on a web server as ${downloadUrl}, and on a host`,
      `  curl -fsSL ${downloadUrl}/install.sh | sudo sh -s -- --source-url https://…`,
      'For the operator',
      `  curl -fsSL ${downloadUrl}/install.sh | sh -s -- --operator`,
    ]
  }
  return [
    'Next: put the folder on a web server, and on a host',
    '  curl -fsSL https://…/install.sh | sudo sh -s -- --download-url https://… --source-url https://…',
    'Each install has to say --download-url, since this build does not know where its files lie:',
    'make it with RELEASE_DOWNLOAD_URL=https://… to have the folder’s URL built in.',
  ]
}

/** What a person reads when nothing is made: why, one line for each reason. */
export function renderRefusal(refused: ReleaseRefused): string {
  const reasons = refused.problems.map(problem => `  ${problem}`)
  return `${['No release was made:', ...reasons].join('\n')}\n`
}

function sizeOf(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

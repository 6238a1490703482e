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
    release.dirty ? 'Uncommitted changes are in it: commit them, and build again.' : undefined,
    throwaway
      ? 'The key was made for this build and is gone: name yours in RELEASE_SIGNING_KEY.'
      : undefined,
  ].filter(note => note !== undefined)
  const next =
    notes.length > 0
      ? ['For trying, not for publishing:', ...notes.map(note => `  ${note}`)]
      : [
          'Next: put the folder on a web server, and on a host',
          '  curl -fsSL https://…/install.sh | sudo sh -s -- --source-url https://…',
        ]
  return `${[
    `pomerium-host-agent ${release.version} of commit ${release.commit}, in ${release.folder}`,
    '',
    ...listed,
    '',
    `Signed by ${fingerprint}`,
    '',
    ...next,
  ].join('\n')}\n`
}

/** What a person reads when nothing is made: why, one line for each reason. */
export function renderRefusal(refused: ReleaseRefused): string {
  const reasons = refused.problems.map(problem => `  ${problem}`)
  return `${['No release was made:', ...reasons].join('\n')}\n`
}

function sizeOf(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

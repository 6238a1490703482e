import { expect, test } from 'vitest'
import { readDownloadUrl } from '../../installer/release.ts'
import { renderRelease } from '../../installer/release-screen.ts'

const screen = (downloadUrl: string | undefined, throwaway = false) =>
  renderRelease({
    ...{ kind: 'made', version: '1.2.3', commit: 'abc', dirty: false, downloadUrl },
    folder: import.meta.dirname,
    signer: { fingerprint: 'SHA256:x', throwaway },
  })

test('a release that knows where it lies shows the line that installs it', () => {
  const said = screen('https://downloads.example.com')
  expect(said).toContain(
    'curl -fsSL https://downloads.example.com/install.sh | sudo sh -s -- --source-url https://…\n',
  )
  expect(said).toContain('https://downloads.example.com/install.sh | sh -s -- --operator\n')
  expect(said).not.toContain('--download-url')
})

test('one that does not know says so, and how it would', () => {
  const said = screen(undefined)
  expect(said).toContain('| sudo sh -s -- --download-url https://… --source-url https://…\n')
  expect(said).toContain('make it with RELEASE_DOWNLOAD_URL=https://…')
})

test('one that is not for publishing says why, and how it is tried all the same', () => {
  expect(screen('https://x.example', true)).toMatch(
    /^For trying, not for publishing:\n {2}The key .*\n\nNext: (.|\n)*--source-url/m,
  )
})

test.each([
  ['https://downloads.example.com/agent/', 'https://downloads.example.com/agent'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  [undefined, undefined],
])('the URL of the folder: %s', (text, downloadUrl) => {
  expect(readDownloadUrl(text)).toEqual({ kind: 'read', downloadUrl })
})

test.each(['', 'downloads.example.com', 'ftp://x/', "https://x/'; reboot; '", 'https://x/$HOME'])(
  'no URL of a folder: %s',
  text => {
    expect(readDownloadUrl(text)).toMatchObject({
      kind: 'refused',
      problems: [expect.stringContaining('RELEASE_DOWNLOAD_URL')],
    })
  },
)

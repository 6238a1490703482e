import { expect, test } from 'vitest'
import { serviceEnvironment } from '../../../agent/core/services/service-environment.ts'

const PROXY = 'http://proxy.example.com:3128'

function text(environment: Record<string, string>, held?: string): string {
  const made = serviceEnvironment(environment, held)
  if (made.kind !== 'file') throw new Error(made.kind)
  return made.content
}

test('the proxy of the caller, and whom to ask without it', () => {
  const made = text({ HTTPS_PROXY: PROXY, no_proxy: 'localhost, .example.net' })
  expect(made).toMatch(/^#.*\n#.*\nhttps_proxy=http:\/\/proxy\.example\.com:3128\n/)
  expect(made).toMatch(/\nno_proxy=localhost,\.example\.net\n$/)
})

test('another proxy takes its place; the same one changes nothing; other lines stay', () => {
  const held = `${text({ https_proxy: PROXY })}SSL_CERT_FILE=/etc/ssl/own.pem\n`
  expect(text({ https_proxy: PROXY }, held).split('\n').toSorted()).toEqual(
    held.split('\n').toSorted(),
  )
  const other = text({ https_proxy: 'proxy:8' }, held)
  expect(other).toContain('\nhttps_proxy=proxy:8\nSSL_CERT_FILE=/etc/ssl/own.pem\n')
  expect(text({ https_proxy: 'proxy:8' }, other)).toBe(other)
})

test('no proxy says nothing, and a file of the operator’s own is left alone', () => {
  expect(serviceEnvironment({}, text({ https_proxy: PROXY }))).toEqual({ kind: 'none' })
  expect(serviceEnvironment({ https_proxy: PROXY }, 'https_proxy=mine\n')).toEqual({ kind: 'none' })
})

test.each([
  [{ https_proxy: 'http://me:secret@proxy:3128' }, /password/],
  [{ https_proxy: 'http://proxy:3128/$(reboot)' }, /characters/],
  [{ https_proxy: 'http://proxy\nExecStart=x' }, /characters/],
  [{ https_proxy: PROXY, NO_PROXY: '`reboot`' }, /characters/],
])('not handed on: %j', (environment, why) => {
  const made = serviceEnvironment(environment, undefined)
  expect(made).toEqual({ kind: 'refused', why: expect.stringMatching(why) })
  expect(JSON.stringify(made)).not.toContain('secret')
})

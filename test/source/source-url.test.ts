import { describe, expect, test } from 'vitest'
import { isLoopback, parseSourceUrl, showUrl } from '../../agent/core/network/source-url.ts'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'

describe('parseSourceUrl', () => {
  test.each([
    'https://ca.example.com/bundle',
    'http://localhost:8080/x',
    'http://127.0.0.1/',
    'http://127.9.8.7/',
    'http://[::1]:1/',
    'file:///etc/pomerium/bundle',
    'file://localhost/etc/pomerium/bundle',
  ])('takes %s', url => {
    expect(parseSourceUrl(url)).toHaveProperty('value')
  })

  test.each([
    '',
    'ca.example.com/bundle',
    'http://ca.example.com/',
    'http://localhost.example.com/',
    'http://localhost./',
    'http://127.0.0.1.example.com/',
    'http://128.0.0.1/',
    'http://0.0.0.0/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'https://user@ca.example.com/',
    'https://:password@ca.example.com/',
    'http://user:password@127.0.0.1/',
    'ftp://127.0.0.1/',
    'data:text/plain,x',
    'unix:/run/x.sock',
    'file://ca.example.com/x',
  ])('refuses %s', async url => {
    expect(await fetchBundle({ url })).toMatchObject({ kind: 'unavailable', code: 'bad-url' })
  })
})

test('showUrl leaves out what may be secret, and what is long', () => {
  expect(showUrl(new URL('https://u:p@h:8443/a/b?q#f'))).toBe('https://h:8443/a/b')
  expect(showUrl(new URL('file:///a/b?q'))).toBe('file:///a/b')
  expect(showUrl(new URL(`https://h/${'a'.repeat(5000)}`)).length).toBeLessThan(250)
})

test('isLoopback sees through spellings', () => {
  expect(isLoopback(new URL('http://0x7f.1/'))).toBe(true)
  expect(isLoopback(new URL('http://2130706433/'))).toBe(true)
})

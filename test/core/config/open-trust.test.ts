import { expect, test } from 'vitest'
import { describeOpenTrust } from '../../../agent/core/config/open-trust.ts'
import { parseConfig } from '../../../agent/core/config/parse-config.ts'

const describe = (more: Record<string, string>) => {
  const url = 'https://ssh-ca.example.com/bundle?secret=1'
  const parsed = parseConfig(undefined, { POMERIUM_HOST_AGENT_SOURCE_URL: url, ...more })
  if ('errors' in parsed) throw new Error(JSON.stringify(parsed.errors))
  return describeOpenTrust(parsed.config)
}

test('without signers or fingerprints it is said who could install a CA, and what to set', () => {
  const said = describe({})
  for (const part of [
    'whoever can change https://ssh-ca.example.com/bundle can',
    'trust.signers_file',
    'trust.fingerprints',
  ]) {
    expect(said).toContain(part)
  }
  expect(said).not.toContain('secret')
})

test.each([
  ['POMERIUM_HOST_AGENT_TRUST_SIGNERS_FILE', '/etc/pomerium/bundle-signers'],
  ['POMERIUM_HOST_AGENT_TRUST_FINGERPRINTS', `SHA256:${'A'.repeat(43)}`],
])('with %s nothing is said', (name, value) => {
  expect(describe({ [name]: value })).toBeUndefined()
})

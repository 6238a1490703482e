import { expect, test } from 'vitest'
import { trimChars } from '../../../agent/core/basics/trim-chars.ts'
import { parseCaKey } from '../../../agent/core/keys/ca-key.ts'
import { parseConfigLine } from '../../../agent/core/sshd-config/parse-line.ts'
import { parseAllowedSigners } from '../../../agent/core/trust/allowed-signers.ts'

test('takes away what is named, at each end its own, and nothing in between', () => {
  expect(trimChars(' \ta b\r ', ' \t', ' \t\r')).toBe('a b')
  expect(trimChars('\ra\r', ' ', '\r')).toBe('\ra')
  expect(trimChars(' \t ', ' \t', ' \t')).toBe('')
  expect(trimChars('', ' ', ' ')).toBe('')
})

// A regular expression that is tried at each of these blanks would not end within the test.
test('a long run of blanks within a line costs no more than its length', () => {
  const line = `ssh-ed25519 AAAA a${' '.repeat(2_000_000)}b`
  expect(parseCaKey(line).kind).toBe('refused')
  expect(
    parseAllowedSigners(`${line}\n`, () => ({ earliest: new Date(), latest: new Date() })),
  ).toHaveProperty('faults')
  expect(parseConfigLine(line)?.keyword).toBe('ssh-ed25519')
})

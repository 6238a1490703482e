import { describe, expect, test } from 'vitest'
import { readCaFile } from '../../../agent/core/keys/ca-file.ts'
import { parseCaKey } from '../../../agent/core/keys/ca-key.ts'
import { wireString } from '../../../agent/core/keys/wire-strings.ts'
import { ODD_LINES, waysToWrite } from '../../ca-file-lines.ts'
import { type KeyKind, newKeyLine, newKeyPair, tokenLine } from '../../ssh-keys.ts'

const key = newKeyLine('ed25519')
const fingerprintOf = (line: string) => {
  const parsed = parseCaKey(line)
  return parsed.kind === 'key' ? parsed.key.fingerprint : 'none'
}
const read = (...lines: (string | Buffer)[]) =>
  readCaFile(Buffer.concat(lines.flatMap(line => [Buffer.from(line as string), Buffer.of(10)])))
const found = (...lines: (string | Buffer)[]) =>
  read(...lines).keys.some(({ fingerprint }) => fingerprint === fingerprintOf(key))

describe('a CA file is read as sshd reads it (test/machine/trust/ca-file.test.ts asks real ones)', () => {
  test.each(ODD_LINES)('behind $name: $readsOn', ({ line, readsOn }) => {
    expect(found(line, key)).toBe(readsOn === true)
    const { ends, doubt } = read(line, key)
    expect({ ends, doubt: doubt?.line }).toEqual({
      ends: readsOn === false ? 1 : undefined,
      doubt: typeof readsOn === 'object' ? 1 : undefined,
    })
  })

  test.each(waysToWrite(key))('a key, $name: $found', ({ text, found: isFound }) => {
    const { keys } = readCaFile(Buffer.from(text))
    expect(keys.map(({ fingerprint }) => fingerprint)).toEqual(isFound ? [fingerprintOf(key)] : [])
  })

  test.each<KeyKind>(['ed25519', 'p256', 'p384', 'p521', 'rsa'])('a bundle’s key: %s', kind => {
    const line = newKeyLine(kind)
    const parsed = parseCaKey(`${line} its comment`)
    const { fingerprint, type, base64 } = parsed.kind === 'key' ? parsed.key : ({} as never)
    expect(read(`${line} its comment`).keys).toEqual([
      { fingerprint, type, base64, comment: 'its comment', line: 1 },
    ])
  })

  test('one key written in two ways is one', () => {
    const rsa = newKeyLine('rsa', 2048)
    const blob = Buffer.from(rsa.split(' ')[1] ?? '', 'base64')
    const [e, n] = [blob.subarray(15, 18), blob.subarray(22)]
    const padded = [
      'ssh-rsa',
      Buffer.concat([Buffer.alloc(2), e]),
      Buffer.concat([Buffer.alloc(5), n]),
    ]
    const other = `rsa-sha2-512 ${Buffer.concat(padded.map(wireString)).toString('base64')}`
    expect(read(other).keys).toEqual(read(rsa).keys)
    expect(read(rsa, other).keys).toHaveLength(1)
  })

  test('a security key that this sshd may not have', () => {
    const sk = tokenLine('sk-ed25519', newKeyPair('ed25519').publicKey, 'ssh:')
    const { keys, doubt } = readCaFile(Buffer.from(`${key}\n${sk}\n${key}\n`), () => false)
    expect(keys).toHaveLength(1)
    expect(doubt).toEqual({ line: 2, what: expect.stringContaining('sk-ssh-ed25519@openssh.com') })
  })

  test('a kind of key that is yet to come, a certificate: nobody knows what this sshd does', () => {
    for (const type of ['ssh-mldsa44@openssh.com', 'ssh-ed25519-cert-v01@openssh.com']) {
      const blob = Buffer.concat([type, 'x'].map(wireString)).toString('base64')
      expect(read(`${type} ${blob}`, key)).toMatchObject({ keys: [], doubt: { line: 1 } })
    }
  })

  test('a type that no sshd could have is garbage, and not quoted', () => {
    const type = 'ssh-\u001b[2K'
    const blob = wireString(type).toString('base64')
    expect(read(`${type} ${blob}`, key)).toEqual({ keys: [], ends: 1 })
  })

  test('a comment writes nothing on a screen but itself', () => {
    const [{ comment } = { comment: '' }] = read(`${key} a\u001b[2K\u202eb\r c\u2028d  e`).keys
    expect(comment).toBe('a [2K b  c d  e')
  })
})

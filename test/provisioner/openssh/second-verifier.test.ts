import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realFileSystem } from '../../../agent/provisioner/files/file-system.ts'
import { openSecondVerifier } from '../../../agent/provisioner/openssh/second-verifier.ts'
import { runCommand } from '../../../agent/provisioner/processes/run-command.ts'

const QUESTION = {
  armor: '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n',
  signed: Buffer.alloc(60_000, 'é'),
  signersLine: '"a b" namespaces="x" ssh-ed25519 AAAA',
  principal: '-a $(b)',
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'second-verifier-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ask = (script: string) => {
  const program = join(folder, 'ssh-keygen')
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return openSecondVerifier(realFileSystem, runCommand, { programs: [program] })(QUESTION)
}

test('is given what was read, byte for byte, and leaves nothing behind', async () => {
  const script = `cat >${folder}/signed; cp "$8" ${folder}/signers; cp "\${10}" ${folder}/signature
    printf '%s\\n' "$@" >${folder}/argv; dirname "$8" >${folder}/place`
  expect(await ask(script)).toEqual({ kind: 'good' })
  const read = (name: string) => readFileSync(join(folder, name))
  expect(read('signed')).toEqual(QUESTION.signed)
  expect(read('signers').toString()).toBe(`${QUESTION.signersLine}\n`)
  expect(read('signature').toString()).toBe(QUESTION.armor)
  const argv = read('argv').toString().split('\n').slice(0, 6)
  expect(argv).toEqual(['-Y', 'verify', '-n', 'pomerium-user-ca', '-I', QUESTION.principal])
  expect(() => readdirSync(read('place').toString().trim())).toThrow('ENOENT')
})

test.each([
  ['that says no', 'echo "Could not verify signature."; exit 255', 'bad'],
  ['that says no without listening', 'exec <&-; exit 1', 'bad'],
  ['of before 8.1', 'echo "ssh-keygen: unknown option -- Y" >&2; exit 1', 'not-there'],
  ['that is killed', 'kill -SYS $$', 'failed'],
])('one %s', async (_, script, kind) => {
  expect((await ask(script)).kind).toBe(kind)
})

test('none at all', async () => {
  const verify = openSecondVerifier(realFileSystem, runCommand, {
    programs: [join(folder, 'nowhere')],
  })
  expect(await verify(QUESTION)).toMatchObject({ kind: 'not-there' })
})

test('no room for what it is to read', async () => {
  const place = process.env.TMPDIR
  process.env.TMPDIR = join(folder, 'nowhere')
  try {
    expect(await ask('true')).toMatchObject({ kind: 'failed' })
  } finally {
    if (place === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = place
  }
})

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readState } from '../../../agent/publisher/rotate/state-file.ts'
import { tempDir } from '../../sshd/temp-dir.ts'
import { FIRST, OTHER } from '../serve/with-server.ts'
import { beginIn, makeWorld, NEW } from './world.ts'

// What an editor, a merge or a full disk makes of it: found before anything of it is published.
test.each<[string, (text: string) => string]>([
  ['another key in an edition', text => text.replaceAll(OTHER, FIRST)],
  ['an edition that is no bundle', text => text.replaceAll('ssh-ed25519 ', 'ssh-ed2551 ')],
  ['another serial', text => text.replace('serial: 8\n', 'serial: 9\n')],
  ['another fingerprint', text => text.replaceAll(NEW.fingerprint, 'SHA256:other')],
  ['no host', text => text.replace(/^hosts:\n( {2}.*\n)+/m, 'hosts: []\n')],
  ['half of it', text => text.slice(0, text.length / 2)],
  ['all but its end', text => text.slice(0, -60)],
])('%s is no state to go on with', async (_, change) => {
  await using folder = await tempDir()
  const world = makeWorld(folder.path, ['a', 'b'])
  await beginIn(world, 'planned')
  const text = readFileSync(world.stateFile, 'utf8')
  expect(readState(world.stateFile)).not.toHaveProperty('problem')
  const changed = change(text)
  expect(changed).not.toBe(text)
  writeFileSync(world.stateFile, changed)
  expect(readState(world.stateFile)).toHaveProperty('problem')
})

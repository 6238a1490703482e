import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LAUNCHER } from '../../installer/build.ts'
import { type TempDir, tempDir } from '../sshd/temp-dir.ts'

let temp: TempDir
const at = (name: string) => join(temp.path, name)
const lay = (name: string, text: string) => writeFileSync(at(name), text, { mode: 0o755 })

beforeAll(async () => {
  temp = await tempDir()
  for (const folder of ['program', 'bin', 'cwd']) mkdirSync(at(folder))
  lay('program/pomerium-host-agent', LAUNCHER)
  lay('program/node', '#!/bin/sh\necho "$0 $*"\n')
  symlinkSync(at('program/pomerium-host-agent'), at('bin/pomerium-host-agent'))
  // Where PATH is empty or ends in a colon the shell looks in the working directory too.
  lay('cwd/readlink', '#!/bin/sh\necho /strange/place\n')
})
afterAll(() => temp[Symbol.asyncDispose]())

test.each([
  ['as usual', { PATH: '/usr/bin:/bin' }],
  ['that lacks readlink', { PATH: '/nonexistent' }],
  ['that is empty', { PATH: '' }],
])('it finds its own folder through a link, with a PATH %s', async (_, env) => {
  const { stdout, stderr } = await execa(at('bin/pomerium-host-agent'), ['status', '--json'], {
    ...{ env, extendEnv: false, cwd: at('cwd') },
  })
  expect({ stdout, stderr }).toEqual({
    stdout: `${at('program/node')} ${at('program/agent/main.js')} status --json`,
    stderr: '',
  })
})

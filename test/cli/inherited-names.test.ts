// Names that every object of JavaScript has, where a name from outside may stand: none of them is found
// in a table, and none ends in exit 1.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseTimespan } from '../../agent/core/basics/time-span.ts'
import { parseConfig } from '../../agent/core/config/parse-config.ts'
import { addCycles, parsePollRecord } from '../../agent/core/report/poll-record.ts'
import { sameKeyword } from '../../agent/core/sshd-config/keyword.ts'
import { fetchBundle } from '../../agent/source/fetch-bundle.ts'
import { BUNDLE, useControlPlane } from '../source/with-control-plane.ts'

const MAIN = join(import.meta.dirname, '../../agent/main.ts')
const NAMES = Object.getOwnPropertyNames(Object.prototype)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inherited-names-'))
  writeFileSync(join(folder, 'bundle'), BUNDLE)
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = async (args: string[], env: Record<string, string> = {}) => {
  const { exitCode, all } = await execa(process.execPath, [MAIN, ...args], {
    reject: false,
    env,
    all: true,
    input: '',
  })
  return { code: exitCode, all }
}

test.each(NAMES)(
  'commands, flags and variables named %s',
  async name => {
    const root = ['--root', folder]
    const ended = await Promise.all([
      run([name]),
      run([name, '--help']),
      run(['bundle', name]),
      run(['bundle', name, '--help'], { [name]: 'x' }),
      run(['plan', `--${name}`, 'x', ...root]),
      run(['plan', ...root], { [`POMERIUM_HOST_AGENT_${name}`]: 'x' }),
    ])
    expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2])
  },
  60_000,
)

test.each(NAMES)(
  'settings, headers, JSON keys and keywords named %s',
  async name => {
    for (const text of [
      `${name}: {}`,
      `${name}: 1`,
      `source: {${name}: 1}`,
      `source: {url: {${name}: 1}}`,
    ]) {
      expect(parseConfig({ name: 'config', text }, {})).toHaveProperty('errors')
    }
    const plane = await useControlPlane()
    const fetch = (more = {}) =>
      fetchBundle({ url: plane.url, ...more }, { environment: { [name]: 'x' }, version: '0' })
    const head = `HTTP/1.1 200 OK\r\n${name}: x\r\n${name}: y\r\ncontent-length:`
    plane.behave({ mode: 'raw', text: `${head} ${BUNDLE.length}\r\n\r\n${BUNDLE}` })
    expect(await fetch()).toMatchObject({ kind: 'bundle' })
    for (const json of ['{}', '[]', '"x"', '1', 'null', `{"${name}":{}}`]) {
      plane.behave({
        mode: 'raw',
        text: `HTTP/1.1 200 OK\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
      })
      for (const jsonPointer of [`/${name}`, `/${name}/name`, `/${name}/${name}`]) {
        expect(await fetch({ jsonPointer })).toMatchObject({ kind: 'unavailable', code: 'json' })
      }
    }
    expect(sameKeyword(name, 'keepalive')).toBe(false)
    expect(parseTimespan(`1${name.toLowerCase()}`)).toBeUndefined()
    const polls = parsePollRecord(`{"version": 1, "cycles": {"${name}": 2}}`)
    expect(Object.entries(addCycles(polls, { cycles: {} }))).toEqual([[name, 2]])
  },
  60_000,
)

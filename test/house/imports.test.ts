import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { reachedFrom, readCode, readImports } from './imports.ts'
import { readRooms } from './rooms.ts'

const imports = readImports()
const wing = (file: string) => file.split('/')[1] ?? ''
const inWing = (name: string) =>
  [...imports.keys()].filter(file => file.startsWith(`agent/${name}/`))

const ROOT = join(import.meta.dirname, '../..')

/** A folder with more is two. */
const MOST_FILES = 16

// Each wing with the wings it may import, and why.
const MAY_IMPORT: [wing: string, others: string[], why: string][] = [
  ['core', [], 'decisions stay pure: given the same bytes they come out the same'],
  ['http', ['core'], 'it serves whoever speaks HTTP'],
  ['source', ['core', 'http'], 'a bundle is fetched alike by daemon, child and operator'],
  [
    'daemon',
    ['core', 'http', 'source'],
    'what talks to the network can not reach what writes to /etc/ssh',
  ],
  ['provisioner', ['core'], 'what writes to /etc/ssh can not reach what talks to the network'],
  ['publisher', ['core', 'http'], 'the operator’s side runs on no host'],
  [
    'cli',
    ['core', 'http', 'source', 'daemon', 'provisioner', 'publisher'],
    'only a command joins the wings',
  ],
]

describe('imports run one way', () => {
  test.each(MAY_IMPORT)('%s imports only %j of the others: %s', (name, others) => {
    const strays = inWing(name).flatMap(file =>
      (imports.get(file) ?? [])
        .filter(to => to.startsWith('agent/') && wing(to) !== name && !others.includes(wing(to)))
        .map(to => `${file} → ${to}`),
    )
    expect(strays).toEqual([])
  })

  test('nothing imports main: it reads argv and sets the exit code', () => {
    expect([...imports].filter(([, to]) => to.includes('agent/main.ts'))).toEqual([])
  })
})

describe('rooms', () => {
  const rooms = readRooms()
  const folders = (top: string) => [
    ...new Set(globSync(`${top}/**/*.ts`, { cwd: ROOT }).map(file => dirname(file))),
  ]

  test('each folder has its sentence in docs/architecture.md, and each sentence its folder', () => {
    expect(rooms.toSorted()).toEqual(folders('agent').toSorted())
  })

  // The table goes from what is used by all to what uses all: an arrow up would be the half of a circle.
  test('a room imports only rooms above it in that table', () => {
    const level = new Map(rooms.map((room, at) => [room, at]))
    const strays = [...imports].flatMap(([file, to]) =>
      to
        .filter(each => each.startsWith('agent/') && dirname(each) !== dirname(file))
        .filter(each => (level.get(dirname(each)) ?? 0) > (level.get(dirname(file)) ?? 0))
        .map(each => `${file} → ${each}`),
    )
    expect(strays).toEqual([])
  })

  test.each(['agent', 'test'])('a folder of %s is read at a glance', top => {
    const crowded = folders(top).filter(
      folder => globSync(`${folder}/*.ts`, { cwd: ROOT }).length > MOST_FILES,
    )
    expect(crowded).toEqual([])
  })
})

const NETWORK = /^(undici|node:(net|http|http2|https|tls|dgram|dns)(\/.*)?)$/
const PROCESSES = /^(execa|node:(child_process|cluster|worker_threads))$/
const EFFECTS = /^(execa|undici|pino|chokidar|node:(?!path|crypto|util|url|buffer).*)$/

describe('no wing can do what is another’s', () => {
  const reached = (name: string, what: RegExp, but: RegExp = /^$/) =>
    inWing(name)
      .filter(file => !but.test(file))
      .flatMap(file =>
        [...reachedFrom(file, imports)].filter(to => what.test(to)).map(to => `${file} → ${to}`),
      )
  test('provisioner reaches nothing that opens a network connection', () => {
    // But for its own Unix socket, which systemd opens: the unit allows it no other family.
    expect(reached('provisioner', NETWORK, /\/server\//)).toEqual([])
    const server = [...imports].filter(([file]) => file.startsWith('agent/provisioner/server/'))
    const used = server.flatMap(([, to]) => to).filter(to => NETWORK.test(to))
    expect(new Set(used)).toEqual(new Set(['node:net']))
  })
  test('daemon reaches nothing that starts a process', () => {
    expect(reached('daemon', PROCESSES)).toEqual([])
  })
  test('core reaches no module with effects', () => {
    expect(reached('core', EFFECTS)).toEqual([])
  })
  test('neither loads a module in a way that this test does not see', () => {
    const hidden = [...inWing('core'), ...inWing('provisioner')].filter(file =>
      /getBuiltinModule|createRequire|\brequire\(/.test(readCode(file)),
    )
    expect(hidden).toEqual([])
  })
  test('only main reads argv and the environment, and sets the exit code', () => {
    const touching = [...imports.keys()].filter(file =>
      /process\.(argv|env|exit|exitCode)\b/.test(readCode(file)),
    )
    expect(touching).toEqual(['agent/main.ts'])
  })
})

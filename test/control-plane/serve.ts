// The fake control plane as a process of its own, for hosts with a network of their own:
//
//   node serve.ts --port 8443 --bundle-file B [--mode-file M] [--tls-dir D --tls-hosts a,b] [--host H] [--name N]
//
// Prints `listening PORT` when ready. B is read anew at every request; so is M (a Behaviour as JSON)
// where it exists. D holds ca.pem, cert.pem and key.pem, made for --tls-hosts if they are missing.
// Commands are JSON lines on stdin, each answered by a JSON line on stdout:
//   {"behave": Behaviour}   {"bundle": "text"}   {"requests": true}   {"close": true}

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Behaviour } from './behaviour.ts'
import { startControlPlane } from './control-plane.ts'
import { makeTestTls } from './test-tls.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    name: { type: 'string' },
    'bundle-file': { type: 'string' },
    'mode-file': { type: 'string' },
    'tls-dir': { type: 'string' },
    'tls-hosts': { type: 'string', default: 'localhost,127.0.0.1' },
  },
})

const say = (text: string) => process.stdout.write(`${text}\n`)

let mode: Behaviour = { mode: 'normal' }
let bundle: string | undefined
const bundleFile = values['bundle-file']
const modeFile = values['mode-file']
const tlsDir = values['tls-dir']

const plane = await startControlPlane({
  host: values.host,
  port: Number(values.port),
  ...(values.name !== undefined && { name: values.name }),
  ...(tlsDir !== undefined && { tls: await readTls(tlsDir) }),
  readBundle: async () => bundle ?? (bundleFile ? await readFile(bundleFile) : ''),
  readBehaviour: async () => (modeFile && (await readMode(modeFile))) || mode,
})
say(`listening ${plane.port}`)

createInterface({ input: process.stdin }).on('line', line => {
  try {
    say(JSON.stringify(obey(JSON.parse(line))))
  } catch (error) {
    say(JSON.stringify({ error: String(error) }))
  }
})
// A closed stdin is no order to leave: under a host's init it is /dev/null.
process.on('SIGTERM', leave)
process.on('SIGINT', leave)

interface Command {
  behave?: Behaviour
  bundle?: string
  requests?: boolean
  close?: boolean
}

function obey(command: Command): object {
  if (command.behave) mode = command.behave
  if (command.bundle !== undefined) bundle = command.bundle
  if (command.close) leave()
  return command.requests ? { requests: plane.requests } : { ok: true }
}

function leave(): void {
  plane.close().then(() => process.exit(0))
}

/** Undefined where the file does not exist: then the mode of stdin counts. */
async function readMode(path: string): Promise<Behaviour | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trim() === '' ? undefined : JSON.parse(text)
}

async function readTls(folder: string): Promise<{ cert: string; key: string }> {
  const paths = ['ca.pem', 'cert.pem', 'key.pem'].map(name => join(folder, name))
  const [caPath = '', certPath = '', keyPath = ''] = paths
  try {
    return { cert: await readFile(certPath, 'utf8'), key: await readFile(keyPath, 'utf8') }
  } catch {
    const made = await makeTestTls({ hosts: values['tls-hosts'].split(',') })
    await mkdir(folder, { recursive: true })
    await writeFile(caPath, made.ca)
    await writeFile(certPath, made.cert)
    await writeFile(keyPath, made.key, { mode: 0o600 })
    return made
  }
}

import { expect, inject } from 'vitest'
import type { Outcome } from '../../../agent/core/outcome/outcome.ts'
import { type Ca, type Certificate, type KeyType, makeCa } from '../../sshd/ssh-ca.ts'
import type { Suite } from '../harness/base.ts'
import { bootHost, type Host } from '../harness/host.ts'
import type { HostFiles } from '../harness/host-files.ts'
import { login } from '../harness/login.ts'
import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import { OTHER_CA, type Proved, type Refused, type Shape, type Standing } from './shape.ts'

/** The CAs of a table, with a certificate of each for alice. */
export interface Cas extends AsyncDisposable {
  ours: Record<KeyType, Signed>
  foreign: Signed
  /** What the foreign owner rotates to; trusted by no host until then. */
  next: Signed
}

interface Signed {
  ca: Ca
  certificate: Certificate
}

export async function makeCas(): Promise<Cas> {
  const names = ['ed25519', 'ecdsa', 'rsa', 'foreign', 'next'] as const
  const made = names.map(async name => {
    const ca = await makeCa(name === 'foreign' || name === 'next' ? 'ed25519' : name, name)
    return { ca, certificate: await ca.issue() }
  })
  const [ed25519, ecdsa, rsa, foreign, next] = (await Promise.all(made)) as [
    Signed,
    Signed,
    Signed,
    Signed,
    Signed,
  ]
  return {
    ours: { ed25519, ecdsa, rsa },
    foreign,
    next,
    async [Symbol.asyncDispose]() {
      const all = [ed25519, ecdsa, rsa, foreign, next]
      await Promise.all(all.map(({ ca }) => ca[Symbol.asyncDispose]()))
    },
  }
}

/** Boots the host of a shape, lets the agent come and go, and looks whether it ends as it is to. */
export async function runShape(shape: Shape, suite: Suite, cas: Cas): Promise<void> {
  const layers = [inject('productLayer')]
  const prepare = (files: HostFiles) => layFiles(files, shape, cas)
  await using host = await bootHost({ suite, layers, prepare, ...shape.machine })
  if (shape.run !== undefined) await host.exec(shape.run)
  const before = await configOf(host)
  const ended = await apply(host)
  if (shape.start !== undefined) await host.exec(shape.start)
  const standing = stand(host, shape, cas)
  if (shape.ends.kind === 'refused') {
    await expectRefused(shape.ends, ended, standing)
    expect(await configOf(host)).toEqual(before)
    expect(host.exists(CA_FILE)).toBe(false)
    return
  }
  await expectProved(shape.ends, ended, standing)
  if (shape.ends.foreign === 'rotates') await rotateForeign(cas, standing)
  const again = await apply(host)
  expect(again).toMatchObject({ code: 0, outcome: { outcome: 'unchanged', steps: [] } })
  await host.exec(['pomerium-host-agent', 'remove', '--json'])
  expect(await configOf(host)).toEqual(before)
  expect(host.exists(CA_FILE)).toBe(false)
  const { from, foreign, afterwards } = shape.ends
  expect(await standing.outcome('ours', from)).toBe('refused')
  if (foreign !== undefined) {
    expect(await standing.outcome(foreign === 'stays' ? 'foreign' : 'next')).toBe('accepted')
  }
  await afterwards?.(standing)
}

// The source is a file: what fetches a bundle from elsewhere is not what a shape is about.
async function layFiles(host: HostFiles, { ca = 'ed25519', config, files = {} }: Shape, cas: Cas) {
  const settings = `source: { url: 'file:///srv/bundle' }\n${config ?? ''}`
  await host.write('/etc/pomerium/host-agent.yaml', settings, { mode: 0o640 })
  await host.write('/srv/bundle', `${cas.ours[ca].ca.publicKey}\n`)
  await host.write(OTHER_CA, `${cas.foreign.ca.publicKey}\n`)
  for (const [path, content] of Object.entries(files)) {
    const old = host.exists(path) ? await host.read(path) : ''
    await host.write(path, typeof content === 'string' ? content : content(old))
  }
}

async function apply(host: Host): Promise<Ended> {
  const argv = ['pomerium-host-agent', 'apply', '--json']
  const { code, stdout, stderr } = await host.exec(argv, { allowFail: true })
  if (stdout === '') throw new Error(`apply printed no outcome: ${stderr}`)
  return { code, outcome: JSON.parse(stdout) as Outcome }
}

/** All of sshd's configuration, wherever a distribution keeps it. */
async function configOf(host: HostFiles): Promise<object> {
  return Promise.all([host.snapshot('/etc/ssh'), host.snapshot('/usr/etc')])
}

function stand(host: Host, { ca = 'ed25519' }: Shape, cas: Cas): Standing {
  const certificates = { ours: cas.ours[ca], foreign: cas.foreign, next: cas.next }
  return {
    host,
    async outcome(whose, from) {
      const { certificate } = certificates[whose]
      return (await login(host, { certificate, ...(from === undefined ? {} : { from }) })).outcome
    },
  }
}

interface Ended {
  code: number
  outcome: Outcome
}

async function expectRefused({ code, names }: Refused, ended: Ended, standing: Standing) {
  const { outcome } = ended
  expect({ exit: ended.code, ...outcome }).toMatchObject({
    exit: 5,
    outcome: 'host-refused',
    code,
    steps: [],
    trusted: [],
  })
  for (const name of names) expect(outcome.message).toContain(name)
  expect(await standing.outcome('ours')).toBe('refused')
}

async function expectProved(ends: Proved, { code, outcome }: Ended, standing: Standing) {
  const { from, foreign, further, warns = [], writes = [] } = ends
  expect({ code, message: outcome.message, outcome: outcome.outcome }).toMatchObject({
    code: 0,
    outcome: 'applied',
  })
  const written = outcome.steps.flatMap(step => (step.do === 'write-file' ? [step.path] : []))
  expect(written).toEqual([CA_FILE, DROP_IN, ...writes])
  expect(outcome.warnings ?? []).toEqual(warns.map(warning => expect.stringMatching(warning)))
  expect(await standing.outcome('ours', from)).toBe('accepted')
  if (from !== undefined) expect(await standing.outcome('ours')).toBe('refused')
  expect(await standing.outcome('foreign', from)).toBe(
    foreign === undefined ? 'refused' : 'accepted',
  )
  await further?.(standing)
}

async function rotateForeign({ next }: Cas, { host, outcome }: Standing) {
  await host.write(OTHER_CA, `${next.ca.publicKey}\n`)
  expect(await apply(host)).toMatchObject({ code: 0, outcome: { outcome: 'applied' } })
  expect(await outcome('ours')).toBe('accepted')
  expect(await outcome('foreign')).toBe('refused')
  expect(await outcome('next')).toBe('accepted')
}

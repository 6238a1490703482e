import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseBundle, renderCaKeys } from '../../agent/core/bundle/bundle.ts'
import { exitCodeOf } from '../../agent/core/outcome/outcome-rows.ts'
import { provision } from '../../agent/provisioner/provision.ts'
import { campaign } from '../campaign.ts'
import { mangledBundle } from '../mangled-bundle.ts'
import { newKeyLine } from '../ssh-keys.ts'
import { defaultConfig, temporaryHost } from './temporary-host.ts'

const KEYS = [newKeyLine('ed25519'), newKeyLine('p384'), newKeyLine('rsa')]

test('of mangled bundles, a refused one writes nothing and the last good one stays', {
  timeout: 600_000,
}, async () => {
  const runs = campaign('mangled bundles', { slice: 1_000, whole: 10_000 })
  using it = await temporaryHost()
  const config = defaultConfig()
  const apply = async (bundle: Uint8Array) => {
    const request = { bundle, source: 'test', config, now: new Date() }
    return (await provision(request, it.host)).outcome
  }
  const good = Buffer.from(`${KEYS[0]} the last good one\n`)
  expect((await apply(good)).outcome).toBe('applied')

  const files = () =>
    readdirSync(it.root, { recursive: true, encoding: 'utf8' }).map(name => {
      const { ino, mtimeMs, mode } = statSync(join(it.root, name))
      return `${name} ${ino} ${mtimeMs} ${mode}`
    })
  const untouched = files()
  let refused = 0
  await fc.assert(
    fc.asyncProperty(mangledBundle(KEYS), async bundle => {
      fc.pre(parseBundle(bundle).kind === 'refused')
      refused += 1
      const outcome = await apply(bundle)
      expect(exitCodeOf(outcome)).toBe(4)
      expect(outcome.trusted).toMatchObject([{ comment: 'the last good one' }])
      expect(files()).toEqual(untouched)
    }),
    runs,
  )
  expect(refused).toBeGreaterThanOrEqual(runs.numRuns)
  const caFile = readFileSync(it.host.at(it.host.layout.caFile.path), 'utf8')
  const parsed = parseBundle(good)
  expect(parsed.kind === 'bundle' && renderCaKeys(parsed.keys)).toBe(caFile)
  expect(it.restarts()).toBe(1)
})

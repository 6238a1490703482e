import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { SBOM } from '../../installer/build.ts'
import accepted from '../../installer/licences.json' with { type: 'json' }
import { findChangedLicences, type Licence, licencesOf } from '../../installer/licences.ts'
import { readSbom } from '../../installer/sbom.ts'
import { type BuiltProgram, builtProgram } from './built-program.ts'

describe('the licences of what we ship', () => {
  let built: BuiltProgram
  let shipped: Licence[]

  beforeAll(async () => {
    built = await builtProgram()
    shipped = licencesOf(readSbom(join(built.folder, SBOM)))
    return () => built[Symbol.asyncDispose]()
  })

  test('all are accepted, and the list names nothing that is gone', () => {
    expect(findChangedLicences(shipped, accepted)).toEqual([])
    const names = new Set(shipped.map(({ name }) => name))
    expect(Object.keys(accepted).filter(name => !names.has(name))).toEqual([])
  })

  test('Node and every bundled package are there, each with its text', () => {
    expect(shipped.map(({ name }) => name)).toEqual(expect.arrayContaining(['node', 'undici']))
    expect(shipped.filter(({ text }) => text.trim() === '')).toEqual([])
    const folder = join(built.folder, 'licenses')
    const node = readFileSync(join(folder, `node-${process.versions.node}.txt`), 'utf8')
    expect(node).toContain('OpenSSL')
    expect(readdirSync(folder)).toHaveLength(shipped.length)
  })

  test.each([
    ['a package that declares another licence', 'MIT', 'BUSL-1.1'],
    ['a package whose text changed', / \w+$/, ' 000000000000'],
  ])('%s is named, with what it was', (_, from, to) => {
    const changed = shipped.map(each =>
      each.name === 'undici' ? { ...each, terms: each.terms.replace(from, to) } : each,
    )
    const [problem, ...others] = findChangedLicences(changed, accepted)
    expect(others).toEqual([])
    expect(problem).toContain('licence of undici')
    expect(problem).toContain(`was "${accepted.undici}"`)
  })

  test('a package that nobody has looked at is named as new', () => {
    const { undici: _, ...others } = accepted
    expect(findChangedLicences(shipped, others)).toEqual([expect.stringContaining('is new')])
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { beforeAll, describe, expect, test } from 'vitest'
import { SBOM } from '../../installer/build.ts'
import { addNode, readSbom, type Sbom } from '../../installer/sbom.ts'
import { builtProgram } from './built-program.ts'

describe('the bill of materials', () => {
  let file: string
  let bill: Sbom

  beforeAll(async () => {
    const built = await builtProgram()
    file = join(built.folder, SBOM)
    bill = readSbom(file)
    return () => built[Symbol.asyncDispose]()
  })

  test('is CycloneDX 1.6 as its schema has it', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
    expect(await validator.validate(readFileSync(file, 'utf8'))).toBeNull()
  })

  test('names what is in the bundle, and not what only the tests use', () => {
    const names = bill.components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['execa', 'pino', 'undici', 'yaml', 'node']))
    expect(names).not.toContain('fast-check')
    expect(names).not.toContain('esbuild')
  })

  test('names the libraries inside Node, for whoever hears of a hole in OpenSSL', () => {
    const inside = bill.components.find(({ name }) => name === 'node')?.components ?? []
    const openssl = inside.find(({ name }) => name === 'openssl')
    expect(openssl?.version).toBe(process.versions.openssl)
  })

  test('a Node that is not the pinned one can not speak for it', () => {
    expect(() => addNode(file, '24.0.0', '/nowhere')).toThrow('start it by npm run')
  })
})

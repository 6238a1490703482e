import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** A component as CycloneDX 1.6 writes it: the part that we read. */
export interface Component {
  readonly type: string
  readonly name: string
  readonly group?: string
  readonly version: string
  readonly 'bom-ref'?: string
  readonly licenses?: readonly LicenseChoice[]
  readonly evidence?: { readonly licenses?: readonly LicenseChoice[] }
  readonly components?: readonly Component[]
  readonly [other: string]: unknown
}

interface LicenseChoice {
  readonly expression?: string
  readonly license?: {
    readonly id?: string
    readonly name?: string
    /** In base64. */
    readonly text?: { readonly content: string; readonly [other: string]: string }
  }
}

/** A bill of materials: https://cyclonedx.org/docs/1.6/json/ */
export interface Sbom {
  readonly metadata: { readonly component: Component }
  readonly components: readonly Component[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

/** The bill in `file`. */
export function readSbom(file: string): Sbom {
  return JSON.parse(readFileSync(file, 'utf8')) as Sbom
}

/**
 * Adds Node, which the bundler does not see, with the libraries inside it, to the bill in `file`.
 * `licence` is the file with its licence. Throws unless the Node of `version` runs this: only it
 * knows what is inside it.
 */
export function addNode(file: string, version: string, licence: string): void {
  if (process.versions.node !== version) {
    throw new Error(`this is Node ${process.versions.node}, not ${version}; start it by npm run`)
  }
  const bill = readSbom(file)
  const text = existsSync(licence) ? readFileSync(licence).toString('base64') : ''
  const node: Component = {
    type: 'platform',
    name: 'node',
    version,
    'bom-ref': `node@${version}`,
    cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
    purl: `pkg:github/nodejs/node@v${version}`,
    licenses: [{ license: { id: 'MIT' } }],
    evidence: { licenses: [{ license: { name: 'file: LICENSE', text: base64(text) } }] },
    components: Object.entries(process.versions)
      .filter(([name, found]) => name !== 'node' && found !== undefined)
      .map(([name, found]) => ({ type: 'library', name, version: String(found) })),
  }
  const root = bill.metadata.component['bom-ref']
  const dependencies = bill.dependencies.map(each =>
    each.ref === root
      ? { ...each, dependsOn: [...(each.dependsOn ?? []), `node@${version}`] }
      : each,
  )
  const whole = {
    ...bill,
    components: [...bill.components, node],
    dependencies: [...dependencies, { ref: `node@${version}` }],
  }
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`)
}

function base64(content: string) {
  return { content, contentType: 'text/plain', encoding: 'base64' }
}

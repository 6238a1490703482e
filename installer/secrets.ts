import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { lintSource } from '@secretlint/core'
import { creator as recommended } from '@secretlint/secretlint-rule-preset-recommend'

// secretlint knows the shape of private keys and of the tokens of some thirty vendors.
const SHAPES = {
  rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: recommended }],
}

// What it does not know: short elliptic keys in PEM, and the secrets of Standard Webhooks.
const MORE_SHAPES: readonly [name: string, shape: RegExp][] = [
  ['private key', /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----\s+[\w+/=]{16}/],
  ['webhook secret', /\bwhsec_[\w+/]{24}/],
]

const SECRET_NAME = /TOKEN|SECRET|PASSW|PRIVATE|CREDENTIAL|_KEY$/i

/** What belongs to the machine that builds and may not leave it. */
export interface MachineWord {
  /** What it is, for the message; the word itself is not shown. */
  readonly what: string
  readonly word: string
}

/** The places of this machine, and what its environment keeps under a name like TOKEN. */
export function machineWords(
  environment: NodeJS.ProcessEnv,
  places: Readonly<Record<string, string>>,
): MachineWord[] {
  const named = Object.entries(places).map(([what, word]) => ({ what, word }))
  const secret = Object.entries(environment)
    .filter(([name, value]) => SECRET_NAME.test(name) && (value?.length ?? 0) >= 8)
    .map(([name, value = '']) => ({ what: `the value of ${name}`, word: value }))
  return [...named, ...secret]
}

/**
 * What in `folder` may not be published, one line for each, without showing it. The file `node` is
 * left out: its bytes are those that package-lock.json pins.
 */
export async function findSecrets(
  folder: string,
  words: readonly MachineWord[],
): Promise<string[]> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => relative(folder, file) !== 'node')
  const found = files.map(async file => {
    const content = readFileSync(file, 'utf8')
    const where = relative(folder, file)
    const leaked = words.filter(({ word }) => content.includes(word))
    return [
      ...leaked.map(({ what }) => `${where} holds ${what}`),
      ...(await shapesIn(file, content)).map(shape => `${where} holds ${shape}`),
    ]
  })
  return (await Promise.all(found)).flat().toSorted()
}

async function shapesIn(filePath: string, content: string): Promise<string[]> {
  const source = { filePath, content, ext: '', contentType: 'text' as const }
  const { messages } = await lintSource({ source, options: { config: SHAPES } })
  const known = messages.map(({ ruleId, loc }) => {
    const rule = ruleId.replace('@secretlint/secretlint-rule-', '')
    return `what looks like a secret in line ${loc.start.line} (${rule})`
  })
  if (known.length > 0) return known
  return MORE_SHAPES.filter(([, shape]) => shape.test(content)).map(
    ([name]) => `what looks like a secret (${name})`,
  )
}

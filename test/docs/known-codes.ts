// The codes that this program can answer with, read from its source as text.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FINDINGS } from '../../agent/core/outcome/finding.ts'
import { WELL } from '../../agent/core/report/host-health.ts'

const ROOT = join(import.meta.dirname, '../..')

// Part of a sentence about a file of the config; nobody meets them as a code.
const INNER = new Set(['ErrorCode', 'ServiceErrorCode', 'WebhookSecretCode', 'WebhookTlsCode'])

// How a code is written down: in a union type, in a list, in an object, as `[code, message]`, in a webhook's refusal.
const UNION = /\btype (\w*Code) =((?:\s*\|?\s*'?[\w-]+'?)+)/g
const LIST = /\bconst \w*_CODES = \[([^\]]*)\] as const/g
const PROPERTY = /\bcode: '([a-z][a-z0-9-]*)'/g
const PAIR = /\[\s*'([a-z][a-z0-9-]*)',\s*['`]/g
const REFUSAL = /\brefusal\(\s*\d+,\s*'([a-z-]+)'/g

/** Each code with a place that has it. */
export function readKnownCodes(): Map<string, string> {
  const codes = new Map<string, string>([...FINDINGS, ...WELL].map(code => [code, 'status']))
  for (const file of globSync('agent/**/*.ts', { cwd: ROOT }).sort()) {
    const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '')
    const add = (pattern: RegExp) => {
      for (const [, code = ''] of text.matchAll(pattern)) codes.set(code, file)
    }
    for (const [, name = '', union = ''] of text.matchAll(UNION)) {
      if (INNER.has(name)) continue
      for (const [, code = ''] of union.matchAll(/'([a-z][a-z0-9-]*)'/g)) codes.set(code, file)
    }
    for (const [, list = ''] of text.matchAll(LIST)) {
      for (const [, code = ''] of list.matchAll(/'([a-z][a-z0-9-]*)'/g)) codes.set(code, file)
    }
    if (/^agent\/(core|publisher)\//.test(file)) add(PROPERTY)
    if (/^agent\/publisher\/(notify|status)\//.test(file)) add(PAIR)
    if (file.startsWith('agent/daemon/webhook/')) add(REFUSAL)
  }
  return codes
}

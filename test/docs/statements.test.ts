// docs/statements.md is held to the code, and to the tests that it names.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FACTS } from '../../agent/cli/host/render-status.ts'
import { FINDINGS } from '../../agent/core/outcome/finding.ts'
import { OUTCOME_NAMES } from '../../agent/core/outcome/outcome-rows.ts'
import { healthOf } from '../../agent/core/report/health.ts'
import { WELL } from '../../agent/core/report/host-health.ts'
import { NO_POLLS } from '../../agent/core/report/poll-record.ts'
import { reported } from '../../agent/core/report/reported.ts'
import { readPage } from './code-blocks.ts'
import { everyMetric } from './every-metric.ts'
import { bare, tableRows } from './table-rows.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readPage('docs/statements.md')
const rows = tableRows(page, /^## /)

describe('docs/statements.md', () => {
  test.each<[string, RegExp, () => readonly string[] | Promise<readonly string[]>]>([
    ['finding of status', /^## Findings/, () => [...WELL, ...FINDINGS]],
    ['fact of status', /^## Facts/, () => FACTS],
    ['outcome of apply', /^## Outcomes/, () => OUTCOME_NAMES],
    ['field of /healthz', /^## Fields/, () => Object.keys(health())],
    ['metric', /^## Metrics/, async () => (await everyMetric()).map(([name = '']) => name)],
  ])('has every %s, and none that no longer is', async (_, heading, known) => {
    const named = tableRows(page, heading).map(([first]) => bare(first))
    expect(named.toSorted()).toEqual([...(await known())].toSorted())
  })

  test('names tests that are there', () => {
    expect(rows.length).toBeGreaterThan(50)
    const gone = rows.filter(([, name = '', cell]) => {
      const file = join(ROOT, bare(cell))
      return name === '' || !existsSync(file) || !readFileSync(file, 'utf8').includes(`'${name}'`)
    })
    expect(gone).toEqual([])
  })

  test('names tests on booted hosts', () => {
    expect(rows.filter(([, , cell = '']) => !bare(cell).startsWith('test/machine/'))).toEqual([])
  })
})

function health() {
  return healthOf(reported('missing', NO_POLLS, { found: [], patienceMs: 1, now: new Date() }))
}

import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { valueIn } from '../../agent/core/config/config.ts'
import { parseConfig } from '../../agent/core/config/parse-config.ts'
import { environmentName, SETTING_NAMES, settingOf } from '../../agent/core/config/settings.ts'
import { EXIT } from '../../agent/core/outcome/exit-codes.ts'
import { OUTCOMES } from '../../agent/core/outcome/outcome-rows.ts'
import { readPage, readPages } from './code-blocks.ts'
import { commandLines } from './command-lines.ts'
import { everyMetric } from './every-metric.ts'
import { readKnownCodes } from './known-codes.ts'
import { readKnownCommands } from './known-commands.ts'
import { bare, tableRows } from './table-rows.ts'

describe('docs/guide/codes.md', () => {
  const page = readPage('docs/guide/codes.md')
  const named = (heading: RegExp) => tableRows(page, heading).map(([first]) => bare(first))

  test('has every exit code', () => {
    expect(named(/^## Exit codes/).map(Number)).toEqual(Object.values(EXIT))
  })
  test('has every outcome with its exit code', () => {
    const rows = tableRows(page, /^## Outcomes/).map(([name, exit]) => [bare(name), Number(exit)])
    expect(rows).toEqual(Object.entries(OUTCOMES).map(([name, { exit }]) => [name, exit]))
  })
  test('has every code that can be met, and none that no longer exists', () => {
    const known = readKnownCodes()
    expect(known.size).toBeGreaterThan(50)
    const documented = named(/^## Codes/)
    const missing = [...known].filter(([code]) => !documented.includes(code))
    expect(missing, 'add them to docs/guide/codes.md').toEqual([])
    expect(documented.filter(code => !known.has(code))).toEqual([])
  })
  test('says of each what to do', () => {
    const rows = tableRows(page, /^## Codes/)
    expect(rows.filter(cells => cells.length !== 3 || cells.includes(''))).toEqual([])
  })
})

describe('docs/guide/settings.md', () => {
  const rows = tableRows(readPage('docs/guide/settings.md'), /^## /)

  test('has every setting with its variable, in the order of the source', () => {
    const documented = rows.map(([name, variable]) => [bare(name), bare(variable)])
    expect(documented).toEqual(SETTING_NAMES.map(name => [name, environmentName(name)]))
  })

  const parsed = parseConfig(undefined, {})
  test.each(SETTING_NAMES)('the default of %s', name => {
    const cell = rows.find(([first]) => bare(first) === name)?.[2] ?? ''
    const value = 'config' in parsed ? valueIn(parsed.config, name) : undefined
    expect(cell === '' ? {} : settingOf(name).type(bare(cell))).toEqual(
      value === undefined ? {} : { value },
    )
  })
})

describe('docs/guide/metrics.md and alerts.yml', () => {
  const metrics = readPage('docs/guide/metrics.md')
  const rules = readPage('docs/guide/alerts.yml')

  test('has every metric, in its own words', async () => {
    const rows = tableRows(metrics, /^## Metrics/)
    expect(rows.map(([name, help]) => [bare(name), help])).toEqual(await everyMetric())
  })
  test('alerts are of metrics that exist, and each is in the table with its page', async () => {
    const known = (await everyMetric()).map(([name]) => name)
    const used = [...rules.matchAll(/pomerium_host_agent_\w+/g)].map(([name]) => name)
    expect(used.filter(name => !known.includes(name))).toEqual([])
    const alerts = [...rules.matchAll(/alert: (\w+)[\s\S]*?runbook: docs\/guide\/(\S+)/g)]
    const rows = tableRows(metrics, /^## Alerts/)
    const pageOf = (cell = '') => /\((.+)\)/.exec(cell)?.[1]
    expect(rows.map(([name, , page]) => [bare(name), pageOf(page)])).toEqual(
      alerts.map(([, name, page]) => [name, page]),
    )
  })
})

const pages = [...readPages()].filter(([path]) => !path.startsWith('docs/decisions/'))

describe.each(pages)('%s', (path, page) => {
  test('its command lines are of commands and flags that exist', () => {
    const known = readKnownCommands()
    const wrong = commandLines(page).filter(([first = '', ...rest]) => {
      if (/^--(version|help)$/.test(first)) return false
      const [second = ''] = rest
      const command = known.get(first === 'bundle' ? `bundle ${second}` : first)
      // A name alone, as in "`pomerium-host-agent` is …".
      if (first === '' || (first === 'bundle' && second === '')) return false
      const flags = rest
        .filter(word => word.startsWith('--'))
        .map(word => word.slice(2).split('=')[0])
      return command === undefined || flags.some(flag => !command.flags.has(flag ?? ''))
    })
    expect(wrong.map(words => words.join(' '))).toEqual([])
  })

  test('its links within the repository lead somewhere', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
    const inside = links.filter(link => !/^[a-z]+:/.test(link))
    const root = join(import.meta.dirname, '../..')
    expect(
      inside.filter(link => !existsSync(join(root, normalize(join(dirname(path), link))))),
    ).toEqual([])
  })
})

test('commands and flags are found in the source', () => {
  const known = readKnownCommands()
  expect([...known.keys()]).toEqual(
    expect.arrayContaining(['apply', 'bundle create', 'bundle show']),
  )
  expect([...(known.get('plan')?.flags ?? [])]).toEqual(
    expect.arrayContaining(['root', 'config', 'json']),
  )
  expect(known.get('plan')?.flags).not.toContain('output')
  expect(known.get('bundle create')?.flags).toContain('valid-for')
})

test('command lines are found in blocks and in spans', () => {
  const page =
    'As `sudo pomerium-host-agent plan --json` or `pomerium-host-agent`:\n\n```sh\nA=1 pomerium-host-agent apply \\\n  --root /x > out # now\necho pomerium-host-agent no\n```\n'
  expect(commandLines(page)).toEqual([['apply', '--root', '/x'], ['plan', '--json'], []])
})

// What the scanner of sshd_config says must be what the sshd of this machine does.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseEffectiveConfig } from '../../agent/core/sshd-config/effective-config.ts'
import { globalWinner, overrides, settings } from '../../agent/core/sshd-config/effective-line.ts'
import { reachOf, settingsBefore } from '../../agent/core/sshd-config/include-reach.ts'
import { scanSshdConfig } from '../../agent/core/sshd-config/scan.ts'
import { campaign } from '../campaign.ts'
import { memoryFiles } from '../core/sshd-config/memory-files.ts'
import {
  CONNECTION,
  type ConfigTree,
  configTree,
  KEYWORDS,
  matchesConnection,
  ROOT,
} from '../core/sshd-config/random-config.ts'
import { describeTier } from './describe-tier.ts'
import { generateKey } from './ssh-ca.ts'
import { type TempDir, tempDir } from './temp-dir.ts'
import { findTools } from './tools.ts'

const OF = { slice: 100, whole: 300 }
const LONG = { timeout: 300_000 }
const tools = findTools()

describeTier('the scanner and the real sshd', tools, () => {
  if (!tools.ok) return
  const modern = versionOf(tools.sshd) >= 8.7
  const syntax = modern ? 'since-8.7' : 'before-8.7'
  let folder: TempDir

  beforeAll(async () => {
    folder = await tempDir()
    await generateKey(join(folder.path, 'host_key'), 'ed25519')
  })
  afterAll(() => folder[Symbol.asyncDispose]())

  test('name the same line for every keyword', LONG, () => {
    fc.assert(
      fc.property(configTree({ modern }), tree => {
        const effective = askSshd(tree)
        const directives = scan(tree)
        for (const keyword of KEYWORDS) {
          const winner =
            overrides(directives, keyword).find(({ matches }) =>
              matches.every(({ criteria }) => matchesConnection(criteria)),
            ) ?? globalWinner(directives, keyword)
          const value = effective.get(keyword)?.[0]
          expect(winner?.args[0] ?? 'none').toBe(value)
          // The value starts with its place, from before any parsing.
          if (winner)
            expect(`${value}`).toContain(`/at/${winner.file.slice(ROOT.length + 1)}:${winner.line}`)
        }
      }),
      campaign('configurations scanned', OF),
    )
  })

  test('agree on whether a new drop-in is read at global scope, and before what', LONG, () => {
    const name = 'd/pomerium-ca.conf'
    const include = `Include ${ROOT}/d/*.conf\n`
    const leads = fc.constantFrom('', include, include, `TrustedUserCAKeys /first\n${include}`)
    fc.assert(
      fc.property(configTree({ modern, includeInMatch: false }), leads, (random, lead) => {
        const { [name]: _, ...others } = random
        const tree = { ...others, sshd_config: lead + random.sshd_config }
        const directives = scan(tree)
        // Where a Match block overrides the global value, this connection does not show it.
        fc.pre(overrides(directives, 'trustedusercakeys').length === 0)
        const reach = reachOf(`${ROOT}/${name}`, directives)
        const before = settingsBefore(`${ROOT}/${name}`, directives, 'trustedusercakeys')
        const shadowed = before.some(({ matches }) => matches.length === 0)
        const effective = askSshd({ ...tree, [name]: 'TrustedUserCAKeys /ours' })
        const ours = reach.kind === 'reached' && !shadowed
        const theirs = globalWinner(directives, 'trustedusercakeys')?.args[0] ?? 'none'
        expect(effective.get('trustedusercakeys')?.[0]).toBe(ours ? '/ours' : theirs)
        if (reach.kind === 'not-reached') {
          expect(before).toEqual(settings(directives, 'trustedusercakeys'))
        }
      }),
      campaign('configurations scanned', OF),
    )
  })

  function scan(tree: ConfigTree) {
    const entries = Object.entries(tree).map(([path, text]) => [`${ROOT}/${path}`, text])
    return scanSshdConfig(`${ROOT}/sshd_config`, memoryFiles(Object.fromEntries(entries)), syntax)
  }

  function askSshd(tree: ConfigTree) {
    if (!tools.ok) throw new Error(tools.why)
    const root = join(folder.path, 'tree')
    rmSync(root, { recursive: true, force: true })
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(Buffer.from(join(root, path), 'latin1'), text.replaceAll(ROOT, root), 'latin1')
    }
    const connection = Object.entries(CONNECTION).map(pair => pair.join('='))
    const [file = '', ...args] = [...tools.prefix, tools.sshd]
    const hostKey = join(folder.path, 'host_key')
    const asked = ['-T', '-h', hostKey, '-f', join(root, 'sshd_config'), '-C', connection.join(',')]
    return parseEffectiveConfig(execFileSync(file, [...args, ...asked], { encoding: 'latin1' }))
  }
})

// Before 9.2 there is no -V, and the version stands in the complaint about it.
function versionOf(sshd: string): number {
  const { stdout, stderr } = spawnSync(sshd, ['-V'], { encoding: 'utf8' })
  return Number(/OpenSSH_(\d+\.\d+)/.exec(stdout + stderr)?.[1])
}

import type { Layout } from '../config/layout.ts'
import { type DropIn, renderDropIn } from '../host/drop-in.ts'
import type { Observation } from '../host/observation.ts'
import {
  type Arrangement,
  type Arranging,
  arrange,
  isOwnLine,
  ownDropIns,
} from '../host/place-drop-in.ts'
import { whoSets } from '../host/who-sets.ts'
import { leftOut, withRanges } from '../network/address-list.ts'
import { type Finding, warn } from '../outcome/finding.ts'
import { settingOnCommandLine } from '../sshd-config/command-line.ts'
import { scanOf, scanWith } from '../sshd-config/config-snapshot.ts'
import type { EffectiveConfig } from '../sshd-config/effective-config.ts'
import { settings } from '../sshd-config/effective-line.ts'

const KEYWORD = 'PerSourcePenaltyExemptList'

/**
 * The arrangement of our drop-in: with `PerSourcePenaltyExemptList` where this sshd knows it (it came with
 * 9.8, and sshd prints all that it knows), nobody else sets it, and sshd would read it outside of a `Match`,
 * in which it refuses it; without that line else.
 */
export function arrangeDropIn(
  host: Observation,
  layout: Layout,
  wanted: DropIn,
  arranging: Arranging,
): { arrangement: Arrangement | undefined; exempts: boolean } {
  const arrangeText = (dropIn: DropIn) =>
    arrange(host.config, layout, renderDropIn(dropIn), arranging)
  const { exemptFromPenalties, ...bare } = wanted
  const knows = host.sshd.kind === 'readable' && listInForce(host.sshd.effective) !== undefined
  if (exemptFromPenalties !== undefined && knows && listOfOthers(host, layout) === undefined) {
    const arrangement = arrangeText(wanted)
    if (arrangement !== undefined && isReadGlobally(host, arrangement)) {
      return { arrangement, exempts: true }
    }
  }
  return { arrangement: arrangeText(bare), exempts: false }
}

function isReadGlobally({ config }: Observation, arrangement: Arrangement): boolean {
  const { main } = config
  const texts = new Map([[main, arrangement.get(main) ?? '']])
  const isOwn = isOwnLine(
    { main, texts },
    [...arrangement.keys()].filter(path => path !== main),
  )
  const lines = settings(scanWith(config, arrangement), KEYWORD).filter(isOwn)
  return lines.length > 0 && lines.every(({ matches }) => matches.length === 0)
}

/** What keeps sshd from sparing these addresses; `ours`: our own line is about to, or does. */
export function judgeExemption(
  host: Observation,
  layout: Layout,
  wanted: readonly string[] | undefined,
  ours: 'to-write' | 'written' | 'not-written',
): Finding[] {
  if (wanted === undefined || host.sshd.kind !== 'readable') return []
  const { effective } = host.sshd
  const inForce = listInForce(effective)
  const isOff = effective.get('persourcepenalties')?.[0] === 'no'
  if (inForce === undefined || isOff || ours === 'to-write') return []
  const theirs = listOfOthers(host, layout)
  const list = theirs ?? inForce
  const missing = leftOut(wanted, list)
  if (missing.length === 0) return []
  const line = `${KEYWORD} ${withRanges(list, wanted).join(',')}`
  const who =
    theirs === undefined && ours === 'not-written'
      ? `no list can be set in ${layout.dropIn.path}, which sshd does not read outside Match`
      : `they are not in the list by ${whoSets(KEYWORD, host)}`
  const headline = `some failed logins make sshd shut out ${missing.join(', ')}, and with them all of Pomerium's users: ${who}`
  const where =
    theirs === undefined ? `at the top of ${host.config.main}` : 'in the place of that line'
  return [{ ...warn('not-exempt', headline, `write ${where}:`), write: [line] }]
}

function listInForce(effective: EffectiveConfig): string[] | undefined {
  return entriesOf(effective.get(KEYWORD.toLowerCase())?.[0])
}

/** The list that somebody else has set, as far as it counts; `undefined` where nobody has. */
function listOfOthers(host: Observation, layout: Layout): string[] | undefined {
  const option = settingOnCommandLine(host.commandLine, KEYWORD)
  if (option !== undefined) return entriesOf(option.args[0])
  const isOwn = isOwnLine(host.config, ownDropIns(layout, host.found))
  const first = settings(scanOf(host.config), KEYWORD).find(line => !isOwn(line))
  return first && entriesOf(first.args[0])
}

function entriesOf(list: string | undefined): string[] | undefined {
  // sshd prints "none" where there is no list, and takes it for a name where it is written.
  return list?.split(',').filter(entry => entry !== 'none')
}

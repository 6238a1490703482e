import type { Observation } from '../host/observation.ts'
import { whoSets } from '../host/who-sets.ts'
import { type Finding, warn } from '../outcome/finding.ts'

/** As many logins under way at once as sshd lets in by default, of all the world: `MaxStartups 10:30:100`. */
const FEWEST = 10

/**
 * Limits on logins under way that are too low where one address carries everybody: sshd_config(5),
 * MaxStartups (`start:rate:full`, or `full` alone) and PerSourceMaxStartups (since 8.5; a number, or none).
 */
export function judgeStartups(host: Observation): Finding[] {
  const { sshd } = host
  if (sshd.kind !== 'readable') return []
  const value = (keyword: string) => sshd.effective.get(keyword.toLowerCase())?.[0] ?? ''
  const low = (keyword: string, what: string, write: string) => {
    const headline = `${keyword} is ${value(keyword)}, by ${whoSets(keyword, host)}: ${what}`
    return { ...warn('few-startups', headline, 'write in the place of that line:'), write: [write] }
  }
  const [begin = '', rate = '', full = ''] = value('MaxStartups').split(':')
  const perSource = value('PerSourceMaxStartups')
  return [
    ...(isFew(begin)
      ? [
          low(
            'MaxStartups',
            `with ${begin} logins under way sshd refuses ${rate}% of new ones, with ${full} all`,
            'MaxStartups 10:30:100',
          ),
        ]
      : []),
    ...(isFew(perSource)
      ? [
          low(
            'PerSourceMaxStartups',
            `all of Pomerium's users come from one address, and no more than ${perSource} at once get to log in`,
            'PerSourceMaxStartups none',
          ),
        ]
      : []),
  ]
}

const isFew = (number: string) => /^\d+$/.test(number) && Number(number) < FEWEST

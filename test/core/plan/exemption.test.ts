import { describe, expect, test } from 'vitest'
import type { Observation } from '../../../agent/core/host/observation.ts'
import type { Finding } from '../../../agent/core/outcome/finding.ts'
import { type Plan, planApply } from '../../../agent/core/plan/plan.ts'
import {
  CA,
  DROP_IN,
  file,
  hostWith,
  layout,
  MAIN,
  satisfied,
  uses,
  WANTED,
} from './planned-host.ts'

const FROM = ['203.0.113.0/24']
const wanted = { ...WANTED, exemptFromPenalties: FROM }
const TEN = '/etc/ssh/sshd_config.d/10-site.conf'
const LINE = 'PerSourcePenaltyExemptList 203.0.113.0/24\n'
/** An sshd of 9.8 or later, which goes by this list. */
const knows = (list = 'none', more = '') =>
  uses('none', `persourcepenalties authfail:5\npersourcepenaltyexemptlist ${list}\n${more}`)

function steps(plan: Plan) {
  if (plan.kind !== 'steps') throw new Error(plan.message)
  const written = (path: string) => {
    const step = plan.steps.find(each => each.do === 'write-file' && each.path === path)
    return step?.do === 'write-file' ? step.content.toString() : undefined
  }
  return { ...plan, dropIn: written(DROP_IN), written }
}
const brief = ({ code, write }: Finding) => [code, ...(write ?? [])]

describe('PerSourcePenaltyExemptList', () => {
  test('is set before any Match, where sshd prints that it knows it', () => {
    const { dropIn, advice } = steps(
      planApply(hostWith({}, { sshd: knows() }), layout, { ...wanted, acceptFrom: FROM }),
    )
    expect(dropIn).toContain(`\n${LINE}Match Address 203.0.113.0/24\n    TrustedUserCAKeys ${CA}\n`)
    expect(advice).toEqual([])
  })

  test.each<[string, Observation]>([
    ['does not know it', hostWith()],
    ['is not there', hostWith({}, { sshd: { kind: 'absent' }, tree: true })],
    ['may not be asked', hostWith({}, { sshd: { kind: 'unseen' } })],
  ])('is not set where sshd %s', (_, host) => {
    expect(steps(planApply(host, layout, wanted))).toMatchObject({
      dropIn: expect.not.stringContaining('Penalt'),
      advice: [],
    })
  })

  test('is not set where nobody is named', () => {
    const { dropIn, advice } = steps(planApply(hostWith({}, { sshd: knows() }), layout, WANTED))
    expect(dropIn).not.toContain('Penalt')
    expect(advice).toEqual([])
  })

  test('a change of the setting is a change of the drop-in; where it is so already, nothing is done', () => {
    const host = hostWith({}, { sshd: knows() })
    const { dropIn = '' } = steps(planApply(host, layout, wanted))
    const shape = { sshd: uses(CA, 'persourcepenaltyexemptlist 203.0.113.0/24\n') }
    const base = satisfied({ [DROP_IN]: file(dropIn) }, shape)
    const texts = new Map([...base.config.texts, [DROP_IN, dropIn]])
    const so = { ...base, config: { ...base.config, texts } }
    expect(steps(planApply(so, layout, wanted))).toMatchObject({ steps: [], advice: [] })
    expect(steps(planApply(so, layout, WANTED)).dropIn).not.toContain('Penalt')
    // sshd's own word is the last.
    const otherwise = { ...so, sshd: uses(CA, 'persourcepenaltyexemptlist none\n') }
    expect(steps(planApply(otherwise, layout, wanted)).advice.map(brief)).toEqual([
      ['not-exempt', LINE.trim()],
    ])
  })

  describe('somebody else’s list is theirs', () => {
    test.each<[string, string, string, string[]]>([
      ['first', TEN, '10.0.0.0/8', ['10.0.0.0/8,203.0.113.0/24']],
      ['behind ours', MAIN, '10.0.0.0/8', ['10.0.0.0/8,203.0.113.0/24']],
      ['that has them', TEN, '203.0.113.*', []],
      ['of all', TEN, '*', []],
      ['none', TEN, 'none', ['203.0.113.0/24']],
      ['that excludes one', TEN, '*,!203.0.113.9', ['*']],
    ])('%s', (_, path, list, lacks) => {
      const include = 'Include /etc/ssh/sshd_config.d/*.conf\n'
      const text = `${path === MAIN ? include : ''}persourcepenaltyexemptlist ${list}\n`
      const host = hostWith({ [path]: text }, { sshd: knows(list) })
      const { dropIn, advice } = steps(planApply(host, layout, wanted))
      expect(dropIn).not.toContain('Penalt')
      expect(advice.map(brief)).toEqual(
        lacks.map(each => ['not-exempt', `PerSourcePenaltyExemptList ${each}`]),
      )
      if (lacks.length > 0) {
        expect(advice[0]?.headline).toContain(`${path}:${path === MAIN ? 2 : 1}`)
      }
    })

    test('on the command line', () => {
      const commandLine = ['PerSourcePenaltyExemptList=10.0.0.0/8']
      const host = hostWith({}, { sshd: knows('10.0.0.0/8'), commandLine })
      const { dropIn, advice } = steps(planApply(host, layout, wanted))
      expect(dropIn).not.toContain('Penalt')
      expect(advice[0]?.headline).toMatch(/-o PerSourcePenaltyExemptList=10.* ssh\.service/)
    })

    test('and nothing is lost where sshd shuts nobody out', () => {
      const sshd = uses('none', `persourcepenalties no\npersourcepenaltyexemptlist 10.0.0.0/8\n`)
      const host = hostWith({ [TEN]: 'PerSourcePenaltyExemptList 10.0.0.0/8\n' }, { sshd })
      expect(steps(planApply(host, layout, wanted)).advice).toEqual([])
    })
  })

  test('where the drop-in is read within a Match too, sshd would refuse the line', () => {
    const main = `Include /etc/ssh/sshd_config.d/*.conf\nMatch User bob\nInclude ${DROP_IN}\n`
    const host = hostWith({ [MAIN]: main }, { sshd: knows() })
    const { dropIn, advice } = steps(planApply(host, layout, wanted))
    expect(dropIn).not.toContain('Penalt')
    expect(advice.map(brief)).toEqual([['not-exempt', LINE.trim()]])
    expect(advice[0]?.next).toContain(`at the top of ${MAIN}`)
  })

  test('in the block at the top of sshd_config, by its Include', () => {
    const host = hostWith({ [MAIN]: 'Port 22\n' }, { sshd: knows() })
    const { dropIn, written, advice } = steps(planApply(host, layout, wanted))
    expect(dropIn).toContain(LINE)
    expect(written(MAIN)).not.toContain('Penalt')
    expect(advice).toEqual([])
  })
})

describe('logins under way', () => {
  test.each<[string, string[]]>([
    ['maxstartups 10:30:100\npersourcemaxstartups none\n', []],
    ['maxstartups 10:30:60\n', []],
    ['maxstartups 9:30:100\n', ['MaxStartups 10:30:100']],
    ['maxstartups 4:30:4\npersourcemaxstartups 10\n', ['MaxStartups 10:30:100']],
    ['maxstartups 10:30:100\npersourcemaxstartups 9\n', ['PerSourceMaxStartups none']],
    [
      'maxstartups 1:1:1\nPerSourceMaxStartups 0\n',
      ['MaxStartups 10:30:100', 'PerSourceMaxStartups none'],
    ],
    ['', []],
  ])('%j', (dump, lines) => {
    const { advice } = steps(planApply(hostWith({}, { sshd: uses('none', dump) }), layout, WANTED))
    expect(advice.map(brief)).toEqual(lines.map(line => ['few-startups', line]))
  })
})

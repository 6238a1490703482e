// The table as tests, each on a fresh host; a file a suite, so that they run at once.

import { afterAll, beforeAll, describe, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'
import { type Suite, suites } from '../harness/base.ts'
import { shareOf } from '../harness/share.ts'
import { CONFLICTS } from './conflicts.ts'
import { DISKS } from './disks.ts'
import { ACCEPT_FROM, POLICIES } from './policies.ts'
import { type Cas, makeCas, runShape } from './run-shape.ts'
import { SCOPES } from './scopes.ts'
import { STARTS } from './services.ts'
import type { Shape } from './shape.ts'

const TABLE: Readonly<Record<string, readonly Shape[]>> = {
  'another owner': CONFLICTS,
  'scopes and includes': SCOPES,
  policies: POLICIES,
  accept_from: ACCEPT_FROM,
  'what starts sshd': STARTS,
  'file systems': DISKS,
}

export function testShapes(suite: Suite): void {
  describeTier(`host shapes on ${suite}`, machineTier(), () => {
    let cas: Cas
    beforeAll(async () => {
      cas = await makeCas()
    })
    afterAll(() => cas?.[Symbol.asyncDispose]())

    describe.each(Object.entries(TABLE))('%s', (_, shapes) => {
      const here = shareOf(suite, shapes, shape => shape.suites ?? suites)
      test.each(here)('$name: $ends.kind', shape => runShape(shape, suite, cas))
    })
  })
}

// One after the other: as many hosts as these are do not fit in twice.

import { testInstallsAtOnce } from './installs-at-once.ts'
import { testOutage } from './outage.ts'

testInstallsAtOnce()
testOutage()

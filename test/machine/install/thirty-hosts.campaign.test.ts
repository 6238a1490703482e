// One after the other: as many hosts as these are do not fit in twice.

import { testOutage } from '../hosts/outage.ts'
import { testInstallsAtOnce } from './installs-at-once.ts'

testInstallsAtOnce()
testOutage()

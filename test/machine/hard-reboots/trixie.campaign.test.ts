import { testHardReboots } from './test-hard-reboots.ts'

testHardReboots('trixie')

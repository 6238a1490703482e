import { testHardReboots } from './hard-reboot-suite.ts'

testHardReboots('bullseye')

import { testInstallsAtOnce } from './installs-at-once.ts'

testInstallsAtOnce()

import { testKills } from './kill-suite.ts'

testKills('bookworm')

import { testKills } from './test-kills.ts'

testKills('bookworm')

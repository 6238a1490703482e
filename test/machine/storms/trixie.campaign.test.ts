import { testStorm } from './test-storms.ts'

testStorm('trixie')

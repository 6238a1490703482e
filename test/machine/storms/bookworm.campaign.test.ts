import { testStorm } from './test-storms.ts'

testStorm('bookworm')

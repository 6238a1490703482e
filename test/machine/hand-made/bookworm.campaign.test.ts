import { testHandMade } from './test-hand-made.ts'

testHandMade('bookworm')

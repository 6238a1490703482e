import { testFlood } from './flood-suite.ts'

testFlood('trixie')

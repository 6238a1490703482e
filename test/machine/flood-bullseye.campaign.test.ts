import { testFlood } from './flood-suite.ts'

testFlood('bullseye')

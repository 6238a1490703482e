import { testFlood } from './test-floods.ts'

testFlood('bullseye')

import { testStorm } from './storm-suite.ts'

testStorm('bullseye')

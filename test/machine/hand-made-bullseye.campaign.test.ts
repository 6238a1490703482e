import { testHandMade } from './hand-made-suite.ts'

testHandMade('bullseye')

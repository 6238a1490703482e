import { testQuietSource } from './quiet-source-suite.ts'

testQuietSource('trixie')

import { testQuietSource } from './test-quiet-sources.ts'

testQuietSource('bullseye')

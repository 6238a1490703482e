import { testQuietSource } from './test-quiet-sources.ts'

testQuietSource('bookworm')

import { testOldHosts } from './test-old-hosts.ts'

testOldHosts('bookworm')

import { testOldHosts } from './old-host-suite.ts'

testOldHosts('bullseye')

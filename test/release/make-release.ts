// Makes a release as the options in argv say, in a process of its own: with its own umask, clock and locale.

import { buildRelease, type ReleaseOptions } from '../../installer/release.ts'

const release = await buildRelease(JSON.parse(process.argv[2] ?? '') as ReleaseOptions)
process.stdout.write(JSON.stringify(release))

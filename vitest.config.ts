import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { campaignIsWhole } from './test/campaign.ts'

// The slow half of the second tier, which `npm run check` leaves out: every call made to fail.
const EXHAUSTIVE = 'test/**/*.exhaustive.test.ts'

// Tens of hosts at once take a machine for themselves: beside them another file's host has no core to boot on.
const CROWDS = [
  'test/machine/fleet/rotate.test.ts',
  'test/machine/install/thirty-hosts.campaign.test.ts',
]

// What is the same file for each suite is in a slice run on one of them.
const CAMPAIGN_ALONE = campaignIsWhole
  ? []
  : [
      'test/machine/floods/{bullseye,trixie}.campaign.test.ts',
      'test/machine/hard-reboots/{bookworm,trixie}.campaign.test.ts',
      'test/machine/old-hosts/{bookworm,trixie}.campaign.test.ts',
      'test/machine/quiet-sources/{bookworm,bullseye}.campaign.test.ts',
      'test/machine/storms/{bullseye,trixie}.campaign.test.ts',
    ]

// Where hosts boot and releases are built, a few files at a time are plenty.
const HEAVY = Math.min(availableParallelism() + 1, 6)

// What takes long begins first, or the last file would run alone. Without an earlier run vitest goes by the
// size of the files, and those of a campaign are small: their tests stand in the suite that they share.
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isCampaign = ({ moduleId }: TestSpecification) => moduleId.includes('.campaign.')
    return [...sorted.filter(isCampaign), ...sorted.filter(file => !isCampaign(file))]
  }
}

const tier = (name: string, include: string[], seconds: number) => ({
  name,
  include,
  testTimeout: seconds * 1000,
  hookTimeout: seconds * 1000,
  // These tests wait more than they compute.
  maxWorkers: 4,
  // What starts the program from its sources starts it in half of the time.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules', '.cache', 'compiled') },
})

// Builds the program; vitest does so for each project that names it, a few seconds each.
const PRODUCT = ['test/machine/harness/product.ts']

// Nothing of ours is remembered by a module, so a worker need not begin anew for each file.
const quick = { isolate: false, sequence: { groupOrder: 1 } }

// The four tiers of tests, the slow half of the second, the crowds of the fourth, and the release. `core`
// and `wings` need nothing but node; `sshd` needs OpenSSH; `machine`, `crowd` and `release` need root,
// systemd-nspawn and debootstrap. One group after the other, so that each has the machine to itself.
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { ...tier('core', ['test/core/**/*.test.ts'], 30), ...quick } },
      {
        test: {
          ...tier(
            'wings',
            [
              'test/{cli,daemon,docs,house,http,installer,provisioner,publisher,source}/**/*.test.ts',
            ],
            30,
          ),
          exclude: [EXHAUSTIVE],
          ...quick,
        },
      },
      { test: { ...tier('exhaustive', [EXHAUSTIVE], 120), sequence: { groupOrder: 2 } } },
      { test: { ...tier('sshd', ['test/sshd/**/*.test.ts'], 60), sequence: { groupOrder: 2 } } },
      {
        test: {
          ...tier('release', ['test/release/**/*.test.ts'], 600),
          maxWorkers: HEAVY,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...tier('machine', ['test/machine/**/*.test.ts'], 300),
          exclude: [...CROWDS, ...CAMPAIGN_ALONE],
          maxWorkers: HEAVY,
          sequence: { groupOrder: 3 },
          globalSetup: PRODUCT,
        },
      },
      {
        test: {
          ...tier('crowd', CROWDS, 300),
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
          globalSetup: PRODUCT,
        },
      },
    ],
  },
})

import { defineConfig } from 'vitest/config'

// The four tiers of tests, the slow half of the second, and the release. `core` and `wings` need
// nothing but node; `sshd` needs OpenSSH; `machine` and `release` need root, systemd-nspawn and
// debootstrap.
// Tests wait more than they compute, so there are more workers than cores.
const tier = (name: string, include: string[], seconds: number, exclude: string[] = []) => ({
  test: {
    name,
    include,
    exclude,
    testTimeout: seconds * 1000,
    hookTimeout: seconds * 1000,
    maxWorkers: 4,
  },
})

// Nothing of ours is remembered by a module, so a worker need not begin anew for each file.
const shared = ({ test }: ReturnType<typeof tier>) => ({ test: { ...test, isolate: false } })

// The slow half of the second tier, which `npm run check` leaves out: every call made to fail.
const EXHAUSTIVE = 'test/**/*.exhaustive.test.ts'

// The program is built once; the hosts share two or so cores, so a few files at a time are plenty.
const machine = {
  test: {
    ...tier('machine', ['test/machine/**/*.test.ts'], 300).test,
    globalSetup: ['test/machine/product.ts'],
    maxWorkers: 3,
    // Where three hosts boot on two cores a wait may run out; what fails twice is a failure. A retried
    // test is named in the report.
    retry: process.env.CI ? 1 : 0,
  },
}

export default defineConfig({
  test: {
    projects: [
      shared(tier('core', ['test/core/**/*.test.ts'], 30)),
      shared(
        tier(
          'wings',
          ['test/{cli,daemon,docs,house,installer,provisioner,publisher}/**/*.test.ts'],
          30,
          [EXHAUSTIVE],
        ),
      ),
      tier('exhaustive', [EXHAUSTIVE], 120),
      tier('release', ['test/release/**/*.test.ts'], 600),
      tier('sshd', ['test/sshd/**/*.test.ts'], 60),
      machine,
    ],
  },
})

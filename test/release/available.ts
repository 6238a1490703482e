// Whether this machine can make a release and try it.

import { hasTools, machineTier, type Tier } from '../machine/harness/available.ts'

const packages = {
  'qemu-aarch64-static': 'qemu-user-static',
  'x86_64-linux-gnu-strip': 'binutils-x86-64-linux-gnu',
  'aarch64-linux-gnu-strip': 'binutils-aarch64-linux-gnu',
  xz: 'xz-utils',
  rpmbuild: 'rpm',
}

/** Says plainly what is missing, and how to get it. */
export function releaseTier(): Tier {
  const machine = machineTier()
  if (!machine.ok) return machine
  return hasTools(packages)
}

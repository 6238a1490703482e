// Whether this machine can make a release and try it.

import { execFileSync } from 'node:child_process'
import { machineTier, type Tier } from '../machine/available.ts'

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
  const missing = Object.entries(packages).filter(([tool]) => !isThere(tool))
  if (missing.length === 0) return { ok: true }
  const tools = missing.map(([tool]) => tool).join(', ')
  const wanted = missing.map(([, name]) => name).join(' ')
  return { ok: false, why: `no ${tools}; try: apt-get install ${wanted}` }
}

function isThere(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', tool], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

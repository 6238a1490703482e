// What our files lie on: labels, and file systems that can't be written to.

import { expect } from 'vitest'
import { CA_FILE, DROP_IN } from '../hosts/agent-host.ts'
import {
  FOLDER,
  MAIN,
  proved,
  refused,
  type Shape,
  type Standing,
  withoutInclude,
} from './shape.ts'

const RESTORECON = '/usr/sbin/restorecon'
// Tells, for each call, what it is to label, and what stands at the final name at that moment.
const STUB = `#!/bin/sh
sum() { sha256sum <"$1" | cut -c1-64; }
for path; do
  name=$(basename "$path" .pomerium-host-agent)
  target=$(dirname "$path")/\${name#.}
  held=none
  if [ -e "$target" ]; then held=$(sum "$target"); fi
  echo "$target $held $(sum "$path")" >>/run/restorecon
done
`

async function labelledFirst({ host }: Standing) {
  const calls = (await host.read('/run/restorecon')).trim().split('\n')
  const sum = async (path: string) => (await host.exec(['sha256sum', path])).stdout.slice(0, 64)
  expect(calls).toEqual([
    `${CA_FILE} none ${await sum(CA_FILE)}`,
    `${DROP_IN} none ${await sum(DROP_IN)}`,
    expect.stringMatching(`^${MAIN} [0-9a-f]{64} ${await sum(MAIN)}$`),
  ])
  expect(calls[2]?.split(' ')[1]).not.toBe(await sum(MAIN))
}

export const DISKS: readonly Shape[] = [
  {
    name: 'SELinux tools: labelled before the rename',
    files: { [RESTORECON]: STUB, [MAIN]: withoutInclude() },
    run: `chmod 755 ${RESTORECON}`,
    ends: proved({ writes: [MAIN], further: labelledFirst }),
  },
  {
    name: 'a read-only /etc',
    run: 'mount --bind /etc /etc; mount -o remount,ro,bind /etc',
    ends: refused('read-only', `${FOLDER} `),
  },
  {
    name: 'a read-only /etc, without a folder for drop-ins',
    run: `rmdir ${FOLDER}; mount --bind /etc /etc; mount -o remount,ro,bind /etc`,
    ends: refused('read-only', '/etc/ssh '),
  },
  {
    name: 'a read-only sshd_config that needs a block',
    files: { [MAIN]: withoutInclude() },
    run: `mount --bind /etc /etc; mount -o remount,ro,bind /etc; mount -t tmpfs none ${FOLDER}`,
    ends: refused('read-only', '/etc/ssh '),
  },
]

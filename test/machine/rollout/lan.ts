// Cables between booted hosts, so that one reaches another by its address as in life.

import { execa } from 'execa'
import type { Host } from '../harness/host.ts'

/** Where the operator's own host is reached, by every host that is plugged in. */
export const OPERATOR = '10.20.0.1'
export const NAMES = ['releases.example.com', 'ssh-ca.example.com']

/** What /etc/hosts says on all of them: the operator's servers, and each host by its number. */
export const HOSTS_FILE = [
  '127.0.0.1 localhost',
  `${OPERATOR} ${NAMES.join(' ')}`,
  ...[2, 3, 4].map(number => `${addressOf(number)} host-${number}.example.com`),
  '',
].join('\n')

function addressOf(number: number): string {
  return `10.20.0.${number}`
}

const ipOf = (host: Host, ...args: string[]) =>
  execa('nsenter', ['-t', String(host.pid), '--net', 'ip', ...args])

/** Makes the operator's host the middle of a network that leads nowhere else. */
export async function makeLan(operator: Host): Promise<void> {
  await ipOf(operator, 'link', 'add', 'lan', 'type', 'bridge')
  await ipOf(operator, 'address', 'add', `${OPERATOR}/24`, 'dev', 'lan')
  await ipOf(operator, 'link', 'set', 'lan', 'up')
}

/** Plugs a host in, as the one of that number; also while it boots, and again after it did. */
export async function plugIn(operator: Host, host: Host, number: number): Promise<void> {
  const port = `port${number}`
  const peer = ['peer', 'name', 'eth0', 'netns', String(host.pid)]
  await ipOf(operator, 'link', 'add', port, 'type', 'veth', ...peer)
  await ipOf(operator, 'link', 'set', port, 'master', 'lan', 'up')
  await ipOf(host, 'address', 'add', `${addressOf(number)}/24`, 'dev', 'eth0')
  await ipOf(host, 'link', 'set', 'eth0', 'up')
}

import { expect, test } from 'vitest'
import { findInit } from '../../../agent/provisioner/init/find-init.ts'
import { processTable } from '../sshd/fake-host.ts'

// What each init brings to Debian 12, beside systemd's package where that has not been taken off.
const ALL = ['/lib/systemd/systemd', '/sbin/openrc', '/sbin/runit-init', '/sbin/init']

test.each<[string, string[], string, string | undefined, boolean]>([
  ['systemd', [...ALL, '/run/systemd/system', '/run/initctl'], 'systemd', 'systemd', true],
  ['OpenRC', [...ALL, '/run/openrc/softlevel', '/run/initctl'], 'init', 'OpenRC', true],
  ['runit', [...ALL, '/run/initctl'], 'runit', 'runit', true],
  ['sysvinit', [...ALL, '/run/initctl'], 'init', 'sysvinit', true],
  ['an image with systemd', ALL, 'sh', 'systemd', false],
  [
    'an image with systemd in /usr',
    ['/usr/lib/systemd/systemd', '/sbin/init'],
    'sh',
    'systemd',
    false,
  ],
  ['an image with OpenRC', ALL.slice(1), 'sh', 'OpenRC', false],
  ['an image with runit', ALL.slice(2), 'sh', 'runit', false],
  ['an image with sysvinit', ALL.slice(3), 'sh', 'sysvinit', false],
  ['a container with its host’s /run', ['/run/initctl', '/sbin/init'], 'sshd', 'sysvinit', false],
  ['a container', [], 'sshd', undefined, false],
])('%s', (_, paths, comm, title, running) => {
  const processes = processTable({ 1: { comm: `${comm}\n` } })
  const found = findInit({ exists: path => paths.includes(path), processes })
  expect({ ...found, init: found.init?.title }).toEqual({ init: title, running })
})

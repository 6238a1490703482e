// What starts sshd, and with which words on its command line.

import { expect } from 'vitest'
import { INITS, sshdListens } from '../hosts/inits.ts'
import { FOLDER, MAIN, OTHER_CA, place, proved, refused, type Shape } from './shape.ts'

const OPTIONS = '/etc/default/ssh'
const UNIT = '/lib/systemd/system/ssh.service'
const OVERRIDE = '/etc/systemd/system/ssh.service.d/override.conf'
const OTHER_MAIN = '/etc/ssh/other_config'
const VENDOR = '/usr/etc/ssh/sshd_config'
const INCLUDE = `Include ${FOLDER}/*.conf\n`

const startedWith = (words: string) => ({
  [OVERRIDE]: `[Service]\nExecStartPre=\nExecStart=\nExecStart=/usr/sbin/sshd -D ${words}\n`,
})

const COMMAND_LINES: readonly Shape[] = [
  {
    name: '-o TrustedUserCAKeys=… in /etc/default/ssh',
    files: { [OPTIONS]: `SSHD_OPTS="-o TrustedUserCAKeys=${OTHER_CA}"\n` },
    ends: refused(
      'shadowed',
      `-o TrustedUserCAKeys=${OTHER_CA} on sshd's command line`,
      'see ssh.service',
    ),
  },
  {
    name: '-o TrustedUserCAKeys=… in a unit override, adopt or not',
    config: 'sshd: { conflict: adopt }\n',
    files: startedWith(`-oTrustedUserCAKeys=${OTHER_CA}`),
    ends: refused(
      'shadowed',
      `-o TrustedUserCAKeys=${OTHER_CA} on sshd's command line`,
      'see ssh.service',
    ),
  },
  {
    name: '-o PubkeyAuthentication=no in /etc/default/ssh',
    files: { [OPTIONS]: 'SSHD_OPTS="-o PubkeyAuthentication=no"\n' },
    ends: refused('pubkey-authentication-off', '-o PubkeyAuthentication=no', 'see ssh.service'),
  },
  {
    name: '-o that does no harm',
    files: startedWith('-o "LogLevel VERBOSE" -oMaxStartups=11:30:60'),
    ends: proved(),
  },
  {
    name: '-f of another file, with an Include',
    files: {
      [OPTIONS]: `SSHD_OPTS="-f ${OTHER_MAIN}"\n`,
      [OTHER_MAIN]: `${INCLUDE}UsePAM yes\n`,
      [MAIN]: 'PubkeyAuthentication no\n',
    },
    ends: proved(),
  },
  {
    name: '-f of another file, without an Include',
    files: { ...startedWith(`-f ${OTHER_MAIN}`), [OTHER_MAIN]: 'UsePAM yes\n' },
    ends: proved({ writes: [OTHER_MAIN] }),
  },
  {
    name: '-f of another file, with another owner in it',
    files: {
      ...startedWith(`-f${OTHER_MAIN}`),
      [OTHER_MAIN]: `UsePAM yes\nTrustedUserCAKeys ${OTHER_CA}\n`,
    },
    ends: refused('foreign-ca', place(OTHER_MAIN, 2)),
  },
  {
    name: 'only the vendor’s file in /usr/etc, with an Include',
    files: { ...startedWith(`-f ${VENDOR}`), [VENDOR]: `${INCLUDE}UsePAM yes\n` },
    run: `rm ${MAIN}`,
    ends: proved(),
  },
  {
    name: 'only the vendor’s file in /usr/etc, without an Include',
    files: { ...startedWith(`-f ${VENDOR}`), [VENDOR]: 'UsePAM yes\n' },
    run: `rm ${MAIN}`,
    ends: refused('include-missing', VENDOR, INCLUDE.trim()),
  },
]

const bySystemd = ['bookworm', 'trixie'] as const
const SOCKET_ONLY = 'systemctl disable --now ssh.service; systemctl enable --now ssh.socket'
const CONNECT = `bash -c '</dev/tcp/127.0.0.1/22'; until systemctl -q is-active ssh; do sleep 0.05; done`

const UNITS: readonly Shape[] = [
  {
    name: 'ssh.socket with an idle ssh.service',
    suites: bySystemd,
    run: SOCKET_ONLY,
    ends: proved(),
  },
  {
    name: 'ssh.socket with a running ssh.service',
    suites: bySystemd,
    run: `${SOCKET_ONLY}; ${CONNECT}`,
    ends: proved(),
  },
  {
    name: 'ssh.socket with an idle ssh.service, and -o in its unit',
    suites: bySystemd,
    files: { [OPTIONS]: `SSHD_OPTS="-o TrustedUserCAKeys=${OTHER_CA}"\n` },
    run: SOCKET_ONLY,
    ends: refused(
      'shadowed',
      `-o TrustedUserCAKeys=${OTHER_CA} on sshd's command line`,
      'see ssh.service',
    ),
  },
  {
    name: 'ssh@.service, an sshd for each connection, as Debian 11 has it',
    suites: ['bullseye'],
    run: SOCKET_ONLY,
    ends: proved(),
  },
  {
    name: 'sshd@.service, an sshd for each connection',
    files: {
      '/etc/systemd/system/sshd.socket':
        '[Socket]\nListenStream=22\nAccept=yes\n[Install]\nWantedBy=sockets.target\n',
      '/etc/systemd/system/sshd@.service':
        '[Service]\nExecStart=-/usr/sbin/sshd -i\nStandardInput=socket\nRuntimeDirectory=sshd\n',
    },
    run: 'systemctl disable --now ssh.service; systemctl enable --now sshd.socket',
    ends: proved(),
  },
  {
    name: 'a unit named sshd.service, without an alias',
    run: `systemctl disable --now ssh; sed '/^Alias/d' ${UNIT} >/etc/systemd/system/sshd.service
      rm ${UNIT}; systemctl daemon-reload; systemctl enable --now sshd`,
    ends: proved(),
  },
  {
    name: 'a unit of a name that nobody knows',
    run: `systemctl disable --now ssh; sed '/^Alias/d' ${UNIT} >/etc/systemd/system/door.service
      rm ${UNIT}; systemctl daemon-reload; systemctl enable --now door`,
    ends: proved(),
  },
  {
    name: 'ssh.service stopped, and /run/sshd absent',
    run: 'systemctl stop ssh; test ! -e /run/sshd',
    start: 'systemctl start ssh',
    ends: proved(),
  },
  {
    name: 'ssh.service masked and stopped',
    run: 'systemctl disable --now ssh; systemctl mask ssh',
    start: 'systemctl unmask ssh; systemctl start ssh',
    ends: proved(),
  },
  {
    name: 'ssh.service masked while its sshd runs',
    run: 'systemctl mask ssh',
    ends: refused('no-way-to-restart', 'ssh.service is masked'),
  },
  {
    name: 'ssh.service failed',
    files: { [OVERRIDE]: '[Service]\nRestart=no\nExecStartPre=/usr/bin/test ! -e /run/fail\n' },
    run: 'touch /run/fail; systemctl restart ssh; rm /run/fail; systemctl is-failed ssh',
    ends: proved(),
  },
]

const BY_HAND =
  'systemctl disable --now ssh; systemctl mask ssh; mkdir -p /run/sshd; /usr/sbin/sshd'
const RESTART = '/usr/local/sbin/restart-sshd'

const OTHERS: readonly Shape[] = [
  {
    name: 'an sshd started by hand',
    run: BY_HAND,
    ends: refused('no-way-to-restart', 'sshd.restart_command'),
  },
  {
    name: 'an sshd started by hand, and a restart_command',
    config: `sshd: { restart_command: [${RESTART}, now] }\n`,
    files: {
      [RESTART]:
        '#!/bin/sh\necho "$@" >>/run/restarts\nold=$(cat /run/sshd.pid)\nkill $old\nwhile kill -0 $old; do sleep 0.02; done\nexec /usr/sbin/sshd\n',
    },
    run: `${BY_HAND}; chmod 755 ${RESTART}`,
    ends: proved({
      further: async ({ host }) => expect(await host.read('/run/restarts')).toBe('now\n'),
      afterwards: async ({ host }) => expect(await host.read('/run/restarts')).toBe('now\nnow\n'),
    }),
  },
  ...INITS.map(
    ({ init, packages }): Shape => ({
      name: init,
      suites: ['bookworm'],
      machine: { packages, init: ['/sbin/init'], booted: sshdListens },
      ends: proved(),
    }),
  ),
]

export const STARTS = [...COMMAND_LINES, ...UNITS, ...OTHERS]

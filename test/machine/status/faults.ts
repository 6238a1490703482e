// Everything that can be not well with a host: how it is made so, what `status` says, and how it is mended.

import { CA_FILE } from '../hosts/agent-host.ts'
import { SHADOW } from '../hosts/drift-kinds.ts'
import { SECRET_FILE } from '../hosts/webhook-host.ts'

export const SERVICE = 'pomerium-host-agent.service'
const WEBHOOK = 'pomerium-host-agent-webhook.service'
const TIMER = 'pomerium-host-agent.timer'
const UNITS = '/etc/systemd/system'
const NOTES = '/var/lib/pomerium-host-agent-daemon/polls.json'
const STATUS = '/run/pomerium-host-agent/status.json'
const WRONG = '/run/systemd/system/pomerium-host-agent-provisioner.service.d'
const LOOP = `/run/systemd/system/${SERVICE}.d/loop.conf`
const PORT = '/etc/ssh/sshd_config.d/90-port.conf'
const CONFIG = '/etc/pomerium/host-agent.yaml'
const BROKEN = '/etc/ssh/sshd_config.d/90-broken.conf'

const LET_GO = '/run/systemd/system/ssh.service.d/let-go.conf'
// What status says of it, by a process id that is not known beforehand.
const RELEASED = `systemctl restart ssh.service; pkill -o -x sshd; until [ -z "$(ss -Hltn sport = :22)" ]; do sleep 0.1; done; systemctl restart ssh.service`

export const systemctl = (...words: string[]) => `systemctl ${words.join(' ')}`
const again = `${systemctl('reset-failed')}; ${systemctl('start', SERVICE)}`

// Nothing puts right what has drifted, nor is about to.
export const QUIET = `systemctl stop ${['watch.path', 'watch.timer', 'watch.service', 'repair.path', 'repair.service'].map(unit => `pomerium-host-agent-${unit}`).join(' ')}; rm -f /run/pomerium-host-agent/drift; systemctl reset-failed`
export const WATCHED = systemctl(
  'start',
  'pomerium-host-agent-watch.path',
  'pomerium-host-agent-repair.path',
)

export interface Fault {
  name: string
  break: string
  mend: string
  /** The first finding, and words of the screen's first two lines. */
  code: string
  /** Another finding beside it. */
  also?: string
  says: RegExp
  /** The same for who is not root; `false` where only root can see it. */
  alice?: string | false
  /** What `/healthz` then says; `false` where it still says that all is well. */
  health?: string
}

export const FAULTS: Fault[] = [
  {
    name: 'sshd is stopped',
    break: systemctl('stop', 'ssh.service'),
    mend: systemctl('start', 'ssh.service'),
    code: 'sshd-down',
    says: /sshd is not running: ssh\.service is stopped run: sudo systemctl start ssh\.service/,
    health: 'sshd-down',
  },
  {
    name: 'sshd is masked',
    break: systemctl('mask', '--now', '--quiet', 'ssh.service'),
    mend: `${systemctl('unmask', '--quiet', 'ssh.service')}; ${systemctl('start', 'ssh.service')}`,
    code: 'sshd-down',
    // With ssh.service masked, its alias is a unit of its own, and starts.
    says: /(ssh\.service is masked run: sudo systemctl unmask ssh|sshd\.service is stopped run: sudo systemctl start sshd)\.service/,
    health: 'sshd-down',
  },
  {
    name: 'another sshd listens, which was started by hand',
    break: `${systemctl('stop', 'ssh.service')}; mkdir -p /run/sshd; /usr/sbin/sshd -o PidFile=/run/hand.pid; sleep 0.5`,
    mend: `kill $(cat /run/hand.pid); ${systemctl('start', 'ssh.service')}`,
    code: 'sshd-by-hand',
    says: /started by hand: ssh\.service is down/,
  },
  {
    name: 'sshd has not read the port that it is to listen on',
    break: `echo Port 2222 >${PORT}`,
    mend: `rm ${PORT}`,
    code: 'sshd-down',
    says: /listens on none of its ports: 2222/,
    alice: false,
  },
  {
    name: 'the configuration of sshd is broken',
    break: `echo Bogus yes >${BROKEN}`,
    mend: `rm ${BROKEN}`,
    code: 'sshd-config-broken',
    says: /would not start again see: sudo sshd -t/,
    alice: false,
  },
  {
    name: 'sshd has not opened one of its ports',
    break: `printf 'Port 22\\nPort 2222\\n' >${PORT}`,
    mend: `rm ${PORT}`,
    code: 'sshd-port-closed',
    says: /sshd does not listen on port 2222/,
    alice: false,
  },
  {
    name: 'sshd runs and is masked',
    break: systemctl('mask', '--quiet', 'ssh.service'),
    // systemd 247 has forgotten its sshd by then.
    mend: `${systemctl('unmask', '--quiet', 'ssh.service')}; systemctl is-active -q ssh || { ${RELEASED}; }`,
    code: 'sshd-masked',
    says: /ssh\.service is masked: no boot brings sshd back run: sudo systemctl unmask ssh\.service/,
  },
  {
    name: 'sshd listens, and its unit could not start beside it',
    break: `mkdir -p /run/systemd/system/ssh.service.d; printf '[Service]\\nKillMode=none\\n' >${LET_GO}; systemctl daemon-reload; systemctl stop ssh; rm ${LET_GO}; systemctl daemon-reload; systemctl start ssh; true`,
    mend: RELEASED,
    code: 'sshd-forgotten',
    says: /ssh\.service is down, and the sshd that it started before listens run: sudo systemctl restart ssh; sudo kill \d+; sudo systemctl restart ssh/,
  },
  {
    name: 'there is no sshd to ask any more',
    break: 'mv /usr/sbin/sshd /root/sshd',
    mend: 'mv /root/sshd /usr/sbin/sshd',
    code: 'not-followed',
    also: 'unproved',
    says: /the last good keys stay in force/,
    alice: false,
  },
  {
    name: 'what is held would be refused today',
    break: `cp -a ${CONFIG} /root/config; printf 'trust:\\n  fingerprints: [SHA256:${'A'.repeat(43)}]\\n' >>${CONFIG}`,
    mend: `cp -a /root/config ${CONFIG}`,
    code: 'held-refused',
    says: /what is held would not be taken today \(fingerprint-not-allowed\)/,
    alice: false,
  },
  {
    name: 'the timer is stopped',
    break: systemctl('stop', TIMER),
    mend: systemctl('start', TIMER),
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is stopped run: sudo systemctl enable --now pomerium-host-agent\.timer/,
  },
  {
    name: 'the timer is masked',
    break: `mv ${UNITS}/${TIMER} /root; ln -s /dev/null ${UNITS}/${TIMER}; systemctl daemon-reload; systemctl stop ${TIMER}`,
    mend: `rm ${UNITS}/${TIMER}; mv /root/${TIMER} ${UNITS}; systemctl daemon-reload; systemctl start ${TIMER}`,
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is masked run: sudo systemctl unmask pomerium-host-agent\.timer/,
  },
  {
    name: 'the timer is gone',
    break: `systemctl stop ${TIMER}; mv ${UNITS}/${TIMER} /root; systemctl daemon-reload`,
    mend: `mv /root/${TIMER} ${UNITS}; systemctl daemon-reload; systemctl start ${TIMER}`,
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.timer is not there/,
  },
  {
    name: 'the timer does not come back after a boot',
    break: systemctl('disable', '--quiet', TIMER),
    mend: systemctl('enable', '--quiet', TIMER),
    code: 'agent-disabled',
    says: /pomerium-host-agent\.timer does not come back after a boot/,
  },
  {
    name: 'the socket of the webhook is stopped',
    break: systemctl('stop', 'pomerium-host-agent-webhook.socket'),
    mend: systemctl('start', 'pomerium-host-agent-webhook.socket'),
    code: 'agent-stopped',
    says: /no rotation webhook is heard: .*webhook\.socket is stopped/,
  },
  {
    name: 'the socket of the webhook has failed',
    // Nobody of another name opens it: the user that it is to belong to is not there.
    break: `mkdir -p /run/systemd/system/pomerium-host-agent-webhook.socket.d; printf '[Socket]\\nListenStream=\\nListenStream=/run/hook\\nSocketUser=nobody-at-all\\n' >/run/systemd/system/pomerium-host-agent-webhook.socket.d/x.conf; systemctl daemon-reload; systemctl restart pomerium-host-agent-webhook.socket; true`,
    mend: 'rm -r /run/systemd/system/pomerium-host-agent-webhook.socket.d; systemctl daemon-reload; systemctl restart pomerium-host-agent-webhook.socket',
    code: 'agent-failing',
    says: /no rotation webhook is heard: .*webhook\.socket has failed/,
  },
  {
    name: 'the socket of the provisioner is stopped',
    break: systemctl('stop', 'pomerium-host-agent-provisioner.socket'),
    mend: systemctl('start', 'pomerium-host-agent-provisioner.socket'),
    code: 'agent-stopped',
    // Not by /healthz: what it wakes wants that socket, and systemd opens it again.
    says: /can put nothing in force: .*provisioner\.socket/,
  },
  {
    name: 'the socket of the provisioner is not there, though its unit is up',
    break: 'rm /run/pomerium-host-agent/provisioner.sock',
    mend: systemctl('restart', 'pomerium-host-agent-provisioner.socket'),
    code: 'provisioner-unreachable',
    says: /nobody listens on \/run\/pomerium-host-agent\/provisioner\.sock/,
    health: 'provisioner-unreachable',
  },
  {
    name: 'the watch on the files is stopped',
    break: systemctl('stop', 'pomerium-host-agent-watch.path'),
    mend: systemctl('start', 'pomerium-host-agent-watch.path'),
    code: 'agent-stopped',
    says: /drift is seen no more: pomerium-host-agent-watch\.path/,
  },
  {
    name: 'the service of the webhook fails for want of a secret',
    break: `mv ${SECRET_FILE} /root/secret; ${systemctl('stop', WEBHOOK)}; ${systemctl('start', '--no-block', WEBHOOK)}; until systemctl show -p SubState ${WEBHOOK} | grep -q auto-restart; do sleep 0.1; done`,
    mend: `mv /root/secret ${SECRET_FILE}; ${systemctl('restart', WEBHOOK)}`,
    code: 'agent-failing',
    says: /no rotation webhook is heard: .*webhook\.service fails again and again \(243\/CREDENTIALS, a file could not be handed over\)/,
  },
  {
    name: 'the service fails again and again',
    break: `mkdir -p $(dirname ${LOOP}); printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestart=always\\nRestartSec=30s\\n' >${LOOP}; systemctl daemon-reload; systemctl stop ${SERVICE}; systemctl start --no-block ${SERVICE}; until systemctl show -p SubState ${SERVICE} | grep -q auto-restart; do sleep 0.1; done`,
    mend: `rm ${LOOP}; systemctl daemon-reload; systemctl stop ${SERVICE}; ${again}`,
    code: 'agent-failing',
    says: /stopped following the source: .*fails again and again \(exit status 1/,
  },
  {
    name: 'the config has a typo, and the daemon can not start',
    break: `cp -a ${CONFIG} /root/config; sed -i 's/^source:/sorce:/' ${CONFIG}; ${systemctl('stop', SERVICE)}; ${systemctl('start', SERVICE)}; sleep 1; true`,
    mend: `cp -a /root/config ${CONFIG}; ${again}`,
    code: 'config-broken',
    says: /nothing of ours can start: \/etc\/pomerium\/host-agent\.yaml:1.*sorce/,
    alice: 'agent-failing',
  },
  {
    name: 'the config is empty, and nobody has looked since',
    break: `cp -a ${CONFIG} /root/config; : >${CONFIG}`,
    mend: `cp -a /root/config ${CONFIG}`,
    code: 'config-broken',
    says: /nothing of ours can start: the config has no source\.url say in \/etc\/pomerium\/host-agent\.yaml/,
    alice: false,
  },
  {
    name: 'the CA file is deleted, and not put back yet',
    break: `${QUIET}; rm ${CA_FILE}`,
    mend: `${WATCHED}; pomerium-host-agent repair`,
    code: 'no-keys',
    says: /trusts no CA key/,
    alice: 'drift',
  },
  {
    name: 'the CA file holds another key, and is not put back yet',
    break: `${QUIET}; ssh-keygen -q -t ed25519 -N '' -f /root/other; cat /root/other.pub >${CA_FILE}`,
    mend: `rm /root/other*; ${WATCHED}; pomerium-host-agent repair`,
    code: 'not-in-force',
    says: /does not go by these keys/,
    alice: false,
  },
  {
    name: 'others may read the CA file, and it is not put right yet',
    break: `${QUIET}; chmod 644 ${CA_FILE}`,
    mend: `${WATCHED}; pomerium-host-agent repair`,
    code: 'drift',
    says: /changed since: \/var\/lib\/pomerium\/pomerium_user_ca_key\.pub \(mode 0644/,
  },
  {
    name: 'a drop-in shadows ours',
    break: `${QUIET}; printf '${SHADOW.content.trim()}\\n' >${SHADOW.path}`,
    mend: `rm ${SHADOW.path}; ${WATCHED}; pomerium-host-agent repair`,
    code: 'not-in-force',
    says: /does not go by these keys/,
    alice: false,
  },
  {
    name: 'the source has given nothing for long',
    break: `cp -a ${NOTES} /root/notes; sed -i 's/"lastSuccess": "20../"lastSuccess": "2019/' ${NOTES}`,
    mend: `cp -a /root/notes ${NOTES}`,
    code: 'source-away',
    says: /the source has given nothing for \d+ days/,
    health: 'source-away',
  },
  {
    name: 'nothing has looked for long',
    break: `cp -a ${NOTES} /root/notes; sed -i 's/"at": "20../"at": "2019/' ${NOTES}; sed -i 's/^  "at": "20../  "at": "2019/' ${STATUS}`,
    mend: `cp -a /root/notes ${NOTES}; pomerium-host-agent repair`,
    code: 'stale',
    says: /nothing has looked at this host for \d+ days/,
  },
  {
    name: 'the service that the timer starts is masked',
    break: `mv ${UNITS}/${SERVICE} /root; ln -s /dev/null ${UNITS}/${SERVICE}; systemctl daemon-reload`,
    mend: `rm ${UNITS}/${SERVICE}; mv /root/${SERVICE} ${UNITS}; systemctl daemon-reload`,
    code: 'agent-stopped',
    says: /stopped following the source: pomerium-host-agent\.service is masked run: sudo systemctl unmask pomerium-host-agent\.service/,
  },
  {
    name: 'the service that the provisioner’s socket starts has a line that is wrong',
    break: `mkdir -p ${WRONG}; printf '[Service]\\nExecStart=\\n' >${WRONG}/x.conf; systemctl daemon-reload`,
    mend: `rm -r ${WRONG}; systemctl daemon-reload`,
    code: 'agent-stopped',
    says: /can put nothing in force: pomerium-host-agent-provisioner\.service can't be loaded \(bad-setting\) see: systemd-analyze verify pomerium-host-agent-provisioner\.service/,
  },
  {
    name: 'ssh.socket listens for a service that is masked',
    break: `systemctl stop ssh.service; systemctl start ssh.socket; ${systemctl('mask', '--quiet', 'ssh.service')}`,
    mend: `${systemctl('unmask', '--quiet', 'ssh.service')}; systemctl stop ssh.socket; systemctl start ssh.service`,
    code: 'sshd-down',
    says: /its socket listens, and ssh\.service is masked run: sudo systemctl unmask ssh\.service/,
  },
  {
    name: 'the source fails since the clock was set back behind an apply',
    break: `cp -a ${NOTES} /root/notes; sed -i 's/"outcome": "[a-z]*"/"outcome": "source-unavailable"/' ${NOTES}; sed -i -E 's/"(at|lastSuccess)": "20../"\\1": "2099/' ${STATUS}`,
    mend: `cp -a /root/notes ${NOTES}; pomerium-host-agent apply`,
    code: 'not-followed',
    says: /the last good keys stay in force/,
    alice: 'not-followed',
  },
  {
    name: 'what was accepted is damaged',
    break: `cp -a /var/lib/pomerium-host-agent/state.json /root/state; echo '{' >/var/lib/pomerium-host-agent/state.json`,
    mend: 'cp -a /root/state /var/lib/pomerium-host-agent/state.json',
    code: 'state-damaged',
    says: /the record of what this host holds is damaged/,
    alice: false,
  },
]

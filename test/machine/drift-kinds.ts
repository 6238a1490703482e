// What may happen to our files on a host, asleep or resident.

import { CA_FILE, DROP_IN } from './agent-host.ts'

/** Kinds of drift that are put right, each with the command that makes it. */
export const DRIFT: [kind: string, command: string][] = [
  ['deleted', `rm ${CA_FILE}`],
  ['edited', `echo '# mine' >> ${DROP_IN}`],
  ['emptied', `: > ${CA_FILE}`],
  ['chmod', `chmod 666 ${CA_FILE}`],
  ['chown', `chown nobody ${DROP_IN}`],
  ['renamed away', `mv ${DROP_IN} /root/`],
  ['sshd_config rewritten', `sed -i '/^Include/d' /etc/ssh/sshd_config`],
]

/** A drop-in that sorts before ours and names another CA: reported, not displaced. */
export const SHADOW = {
  path: '/etc/ssh/sshd_config.d/00-shadow.conf',
  content: 'TrustedUserCAKeys /etc/ssh/other.pub\n',
}

/** Writes our file back without a pause, until it is killed. */
export const REWRITE_LOOP = `while :; do echo mine > ${CA_FILE}; sleep 0.1; done`

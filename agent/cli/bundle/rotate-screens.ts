import { EXIT } from '../../core/outcome.ts'
import type { End } from '../../publisher/rotate/drive.ts'
import { missing, ORDERS, type Rotation, type StepName } from '../../publisher/rotate/rotation.ts'
import { paint, print, printJson } from '../screen.ts'
import { hostsForPrograms, printHosts } from './print-hosts.ts'
import { howToSwitch } from './switch-pomerium.ts'

const TITLES: Record<StepName, string> = {
  'publish-both': 'publish the old and the new key',
  'confirm-both': 'wait until every host trusts both',
  'switch-pomerium': 'switch Pomerium to the new key',
  'prove-login': 'see one login through the new CA',
  'publish-new': 'publish the new key alone',
  'spread-new': 'tell every host at once',
  'confirm-new': 'wait until every host trusts the new key alone',
  done: 'done',
}

/** A line for each step as it begins. */
export function printStep(rotation: Rotation, stateFile: string): void {
  const { order, step } = rotation
  const steps: readonly StepName[] = ORDERS[order]
  if (step === 'done') return
  print(`${paint('bold', `${steps.indexOf(step) + 1}/${steps.length - 1}`)} ${TITLES[step]}`)
  if (step === 'spread-new') {
    print('')
    for (const line of BREAKS) print(line)
    print('')
    for (const line of howToSwitch(rotation.editions.new, again(stateFile, '--switched')))
      print(line)
    print('')
  }
}

const BREAKS = [
  'Until Pomerium signs with the new key, nobody can log in through it: hosts no',
  'longer trust the old one. Open sessions go on, an intruder’s too: end those that',
  'nobody can account for. A host that is not told stays open to whoever has the',
  'old key: cut it off until it is.',
]

/** Prints where a run ended and what comes next, and gives the exit code. */
export function endOf(end: End, stateFile: string, json: boolean): number {
  if (json) printJson(forPrograms(end))
  else for (const line of linesOf(end, stateFile)) print(line)
  return EXIT_OF[end.kind]
}

const EXIT_OF: Record<End['kind'], number> = {
  done: EXIT.converged,
  'hosts-missing': EXIT.hostsMissing,
  'publish-failed': EXIT.operatorNeeded,
  switch: EXIT.operatorNeeded,
  prove: EXIT.operatorNeeded,
}

function forPrograms(end: End) {
  const { order, step, confirmed, leftBehind, history } = end.rotation
  return {
    end: end.kind,
    order,
    step,
    ...(end.kind === 'hosts-missing'
      ? { missing: end.missing, hosts: hostsForPrograms(end.reports) }
      : {}),
    ...(end.kind === 'switch' ? { missing: untold(end.rotation) } : {}),
    ...(end.kind === 'publish-failed' ? { message: end.message } : {}),
    ...(end.kind === 'prove' && end.why !== undefined ? { message: end.why } : {}),
    confirmed,
    leftBehind,
    history,
  }
}

function linesOf(end: End, stateFile: string): string[] {
  const { rotation } = end
  switch (end.kind) {
    case 'done':
      return ['', `${paint('green', 'done')}: the hosts trust the new key alone`, ...lost(rotation)]
    case 'hosts-missing': {
      print('')
      printHosts(end.reports)
      return ['', ...missingLines(rotation, end.missing, stateFile)]
    }
    case 'publish-failed':
      return ['', `${paint('red', 'stopped')}: ${end.message}`, '', again(stateFile)]
    case 'switch':
      return [
        '',
        ...stillOpen(rotation),
        ...howToSwitch(rotation.editions.new, again(stateFile, '--switched')),
      ]
    case 'prove':
      return ['', ...proveLines(rotation, end.why, stateFile)]
  }
}

// In the emergency order nobody is waited for before the switch, and who is missing must be known.
function stillOpen(rotation: Rotation): string[] {
  const hosts = untold(rotation)
  if (hosts.length === 0) return []
  return [`${paint('red', 'still open to the old key')}: ${hosts.join(', ')}`, '']
}

function untold(rotation: Rotation): string[] {
  return rotation.order === 'compromised' ? missing(rotation, 'new') : []
}

function missingLines({ order }: Rotation, hosts: readonly string[], stateFile: string): string[] {
  const flags = hosts.map(host => `--leave-behind ${host}`).join(' ')
  const count = hosts.length === 1 ? '1 host is' : `${hosts.length} hosts are`
  const meaning =
    order === 'compromised'
      ? ['Each may still trust the compromised key: cut it off until it is told. Then:']
      : ['Nothing is lost: Pomerium’s logins go on as they are. Mend that, and go on:']
  return [
    `${paint('yellow', 'stopped')}: ${count} missing`,
    ...meaning,
    `  ${again(stateFile)}`,
    'or go on without; a host that is back takes the new key by itself:',
    `  ${again(stateFile, flags)}`,
  ]
}

function proveLines({ editions }: Rotation, why: string | undefined, stateFile: string): string[] {
  const fingerprint = editions.new.fingerprints[0] ?? ''
  return [
    ...(why === undefined ? [] : [`${paint('red', 'not proved')}: ${why}`, '']),
    'The old key is taken away only when one login through the new CA was seen. Log',
    'in through Pomerium and look which CA sshd took; hosts trust both, so a login',
    'alone says nothing:',
    `  ssh USER@ROUTE@POMERIUM 'sudo journalctl -u ssh -u sshd -n 20 | grep "CA .*"'`,
    `  …must say: ${fingerprint}`,
    'Then give that command, or your word:',
    `  ${again(stateFile, `--prove-command 'ssh …'`)}`,
    `  ${again(stateFile, '--proved')}`,
    'If it says another: an instance of Pomerium still signs with the old key.',
    'Restart it.',
  ]
}

function lost({ leftBehind, hosts, confirmed }: Rotation): string[] {
  const behind = leftBehind.filter(host => !confirmed.new.includes(host))
  const held = `${hosts.length - behind.length} of ${hosts.length} hosts have confirmed it`
  if (behind.length === 0) return [held]
  return [held, `left behind: ${behind.join(', ')}; they take the new key when they are back`]
}

const again = (stateFile: string, flags = '') =>
  `pomerium-host-agent bundle rotate --state ${stateFile} ${flags}`.trim()

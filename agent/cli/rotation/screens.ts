import { relative } from 'node:path'
import { census } from '../../publisher/rotate/census.ts'
import type { End } from '../../publisher/rotate/drive.ts'
import {
  confirmedBy,
  missing,
  ORDERS,
  type Rotation,
  type StepName,
} from '../../publisher/rotate/rotation.ts'
import { type NamedKey, printHosts } from '../operator/print-hosts.ts'
import { copyable, quoted } from '../terminal/copyable.ts'
import { paint, print, wrapped } from '../terminal/screen.ts'
import { howToSwitch } from './switch-pomerium.ts'

const TITLES: Record<StepName, string> = {
  'publish-both': 'publish the old and the new key',
  'confirm-both': 'wait until every host trusts both',
  'switch-pomerium': 'switch Pomerium to the new key',
  'prove-login': 'see one login through the new CA',
  'publish-new': 'publish the new key alone',
  'spread-new': 'tell every host at once',
  'confirm-new': 'wait until no host trusts the old key any more',
  done: 'done',
}

export const DEFAULT_STATE = 'pomerium-rotation.yaml'

/** The screens of one call. */
export class RotateScreens {
  readonly #stateFile: string
  #saidHowToSwitch = false

  constructor(stateFile: string) {
    this.#stateFile = stateFile
  }

  /** A line for each step as it begins. */
  printStep({ order, step, editions }: Rotation): void {
    const steps: readonly StepName[] = ORDERS[order]
    if (step === 'done') return
    print(`${paint('bold', `${steps.indexOf(step) + 1}/${steps.length - 1}`)} ${TITLES[step]}`)
    if (step !== 'spread-new') return
    // Not at the end of the call: while hosts are told, the operator has this to do.
    this.#saidHowToSwitch = true
    for (const line of ['', ...BREAKS, '', ...howToSwitch(editions.new), '']) print(line)
  }

  /** Prints where a run ended and what comes next. */
  printEnd(end: End): void {
    const { rotation } = end
    print('')
    switch (end.kind) {
      case 'publish-failed':
        say(wrapped(`${paint('red', 'stopped')}: ${end.message}`), '', this.#again())
        return
      case 'hosts-missing':
        printHosts(census(rotation, end.phase, end.reports), namesOf(rotation))
        print('')
        if (end.phase === 'both') this.#sayWhoLacksNew(rotation)
        else this.#sayWhoTrustsOld(rotation)
        return
      case 'switch':
        this.#saySwitch(rotation, end.reports)
        return
      case 'prove':
        this.#sayProve(rotation, end.why)
        return
      case 'done': {
        printHosts(census(rotation, 'new', end.reports), namesOf(rotation))
        const of = `${rotation.hosts.length} of ${rotation.hosts.length} hosts`
        say('', `${paint('green', 'done')}: ${of} trust the new key, and none the old one`)
        if (rotation.order === 'planned') say('Destroy the old private key.')
        else
          say(
            'Whoever had the old key may have left others behind: see the guide, "The CA’s',
            'private key got out", step 6.',
          )
      }
    }
  }

  #sayWhoLacksNew(rotation: Rotation): void {
    const hosts = missing(rotation, 'both')
    say(
      `${paint('yellow', 'stopped')}: ${some(hosts.length)} not known to trust both keys`,
      'Nothing is lost: Pomerium’s logins go on as they are. Mend that, and go on:',
      ...this.#again(),
      'or go on without. Nobody gets in there through Pomerium once it is switched, and',
      'the rotation is not done until they trust the new key:',
      ...this.#again(...hosts.map(host => `--leave-behind ${host}`)),
    )
  }

  #sayWhoTrustsOld(rotation: Rotation): void {
    const hosts = missing(rotation, 'new')
    say(`${paint('yellow', 'not done')}: ${some(hosts.length)} not known to be without the old key`)
    say(
      ...(rotation.order === 'planned'
        ? [
            'The new key is published alone; a host that is back takes it at its next poll.',
            'Until then Pomerium can’t log in there, and the old private key still can: keep',
            'it safe. When the table’s reasons are mended:',
          ]
        : [CUT_OFF, 'Then, and when the table’s reasons are mended:'].flat()),
      ...this.#again(),
      'A host that is gone for good: take it out of "hosts" in',
      `  ${this.#stateFile}`,
    )
  }

  #saySwitch(rotation: Rotation, reports: Parameters<typeof census>[2]): void {
    if (rotation.order === 'compromised') {
      const behind = missing(rotation, 'new')
      printHosts(census(rotation, 'new', reports), namesOf(rotation))
      print('')
      if (behind.length > 0) {
        say(
          `${paint('red', 'not safe')}: ${some(behind.length)} not known to be without the stolen key`,
          ...CUT_OFF,
          'To tell them again:',
          ...this.#again(),
          '',
        )
      }
    } else {
      const { leftBehind, confirmed, hosts } = rotation
      const behind = leftBehind.filter(host => !confirmed.both.includes(host))
      say(`${confirmedBy(rotation, 'both')} of ${hosts.length} hosts trust both keys.`)
      if (behind.length > 0) {
        say(
          wrapped(`Left behind, and closed to Pomerium once it is switched: ${behind.join(', ')}`),
        )
      }
      print('')
    }
    if (!this.#saidHowToSwitch) say(...howToSwitch(rotation.editions.new))
    say('When Pomerium signs with the new key:', ...this.#again('--switched'))
  }

  #sayProve(rotation: Rotation, why: string | undefined): void {
    const { editions, order, hosts } = rotation
    const behind = missing(rotation, 'new')
    if (why !== undefined) say(...wrapped(`${paint('red', 'not proved')}: ${why}`), '')
    say(
      ...(order === 'planned'
        ? [
            'The old key is taken away only when one login through the new CA was seen. Log',
            'in through Pomerium and look which CA sshd took; hosts trust both, so a login',
            'alone says nothing:',
          ]
        : [
            'The old key is published no more. See that people get in again: log in through',
            `Pomerium to a host that has the new key (${confirmedBy(rotation, 'new')} of ${hosts.length} have), and look which`,
            'CA sshd took:',
          ]),
      `  ssh USER@ROUTE@POMERIUM 'sudo journalctl -u ssh -u sshd -n 20 | grep "CA .*"'`,
      `  …must say: ${editions.new.fingerprints[0] ?? ''}`,
      'Then give that command, or your word:',
      ...this.#again(`--prove-command 'ssh …'`),
      ...this.#again('--proved'),
      'If it says another: an instance of Pomerium still signs with the old key.',
      'Restart it.',
    )
    if (order === 'compromised' && behind.length > 0) {
      const who = `${some(behind.length)} not known to be without the stolen key:`
      say('', ...wrapped(`${paint('red', 'not safe')}: ${who} ${behind.join(', ')}`))
    }
  }

  /** The command to go on with, to be copied. */
  #again(...flags: string[]): string[] {
    const isUsual = relative(process.cwd(), this.#stateFile) === DEFAULT_STATE
    const state = isUsual ? [] : [`--state ${quoted(this.#stateFile)}`]
    return copyable('pomerium-host-agent bundle rotate', [...state, ...flags])
  }
}

const BREAKS = [
  'Hosts now take the new key and let go of the old one: until Pomerium signs with',
  'the new one, nobody can log in through it. Open sessions go on, an intruder’s',
  'too: end those that nobody can account for.',
]

const CUT_OFF = [
  'Whoever has the stolen key gets in there as anybody, without Pomerium: cut these',
  'hosts off until they have come.',
]

const say = (...lines: (string | readonly string[])[]) => {
  for (const line of lines.flat()) print(line)
}

const some = (count: number) => (count === 1 ? '1 host is' : `${count} hosts are`)

function namesOf({ old, editions }: Rotation): NamedKey[] {
  const named = (name: string, fingerprints: readonly string[]) =>
    fingerprints.map((fingerprint, at) => ({
      name: at === 0 ? name : `${name}${at + 1}`,
      fingerprint,
    }))
  return [...named('old', old), ...named('new', editions.new.fingerprints)]
}

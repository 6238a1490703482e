// The results as a page for people.

import { SCRIPT } from './bench-host.ts'
import type { Idle } from './idle.ts'
import type { Rotation, Rotations, Way } from './rotations.ts'
import type { StartUp } from './start-up.ts'
import { spreadOf } from './statistics.ts'

export interface Results {
  machine: { commit: string; kernel: string; processors: string; at: string; googleVersion: string }
  rotations: Rotations
  startUp: StartUp
  idle: { asleep: Idle & { pollMs: number }; resident: Idle; google: Idle }
}

const NAMES: Record<Way, string> = {
  script: 'shell script (baseline)',
  asleep: 'agent, both processes asleep',
  awake: 'agent, awake',
}

/** The whole page, in Markdown. */
export function renderResults({ machine, rotations, startUp, idle }: Results): string {
  return `# Benchmarks

Made by \`npm run bench\`: one run on one booted Debian 12 host, the ways in turn, medians with a tenth
below and a tenth above. Commit ${machine.commit}, ${machine.at.slice(0, 10)}, Linux ${machine.kernel},
${machine.processors}. The raw numbers are in [results.json](results.json).

## A rotation

![From the webhook to the new key in force and to the answer](rotation.svg)

From the webhook (for the script, from its start) in milliseconds. *In force*: the new key is at its
place, which sshd reads at every login. *Answered*: sshd is restarted, and we have proved that it
listens; the script takes systemd's word.

${table(
  ['', 'in force', 'ratio', 'answered', 'ratio', 'less the script'],
  (['script', 'asleep', 'awake'] as const).map(way => [
    NAMES[way],
    ...rotationCells(rotations, way, 'trust').slice(0, 2),
    ...rotationCells(rotations, way, 'done'),
  ]),
)}

The baseline has nothing to wake, verifies nothing, undoes nothing and answers nobody:

\`\`\`sh
${SCRIPT}\`\`\`

## Start-up

Whole processes, in milliseconds: Node alone, with what the command loads, and the same as the units
start it. To that comes the unit's sandbox, some 50 ms, and the work itself.

${table(
  ['', 'median', 'low', 'high'],
  Object.entries(startUp).map(([name, values]) => {
    const { median, low, high } = spreadOf(values)
    return [name, ms(median), ms(low), ms(high)]
  }),
)}

## Idle

Memory as PSS (shared pages shared out), the processor by cgroup. Asleep, a quiet poll every five
minutes is all: a process of ${ms(idle.asleep.pollMs)} ms. google-guest-agent ${machine.googleVersion} is
Debian's, beside a metadata server that has nothing to tell.

${table(
  ['', 'memory, MiB', 'processor, ms a minute'],
  (
    [
      ['agent, asleep', idle.asleep],
      ['agent, resident', idle.resident],
      ['google-guest-agent', idle.google],
    ] as const
  ).map(([name, { pssKib, cpuMsPerMinute }]) => [
    name,
    (pssKib / 1024).toFixed(1),
    cpuMsPerMinute.toFixed(0),
  ]),
)}
`
}

function rotationCells(rotations: Rotations, way: Way, what: keyof Rotation): string[] {
  const { median, low, high } = spreadOf(rotations[way].map(each => each[what]))
  const baseline = spreadOf(rotations.script.map(each => each[what])).median
  const more = median - baseline
  return [
    `**${ms(median)}** (${ms(low)}–${ms(high)})`,
    (median / baseline).toFixed(2),
    way === 'script' ? '' : `${more < 0 ? '−' : '+'}${ms(Math.abs(more))}`,
  ]
}

const ms = (value: number) => value.toFixed(0)

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, at) => (at === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n')
}

// The rotations as a picture: every run a dot, the median a line.

import type { Results } from './report.ts'
import { type Rotation, WAYS } from './rotations.ts'
import { spreadOf } from './statistics.ts'

const LEFT = 90
const WIDTH = 760
const ROW = 34
const TOP = 40
const COLOURS = { script: '#8a8a8a', asleep: '#3b6ea8', awake: '#c2571a' } as const

/** An SVG of the six series on one axis, in milliseconds. */
export function drawResults({ rotations }: Results): string {
  const series = (['trust', 'done'] as const).flatMap(what =>
    WAYS.map(way => ({ way, what, values: rotations[way].map(each => each[what]) })),
  )
  const most =
    Math.ceil(Math.max(...series.flatMap(({ values }) => spreadOf(values).high * 1.15)) / 50) * 50
  const x = (value: number) => LEFT + (Math.min(value, most) / most) * (WIDTH - LEFT - 20)
  const bottom = TOP + series.length * ROW + 30
  const ticks = Array.from({ length: most / 50 + 1 }, (_, at) => at * 50)
  const rows = series.map(({ way, what, values }, at) => {
    const y = TOP + at * ROW + (what === 'done' ? 24 : 0) + ROW / 2
    const { median } = spreadOf(values)
    const colour = COLOURS[way]
    const dots = values.map(
      value =>
        `<circle cx="${x(value).toFixed(1)}" cy="${y}" r="3" fill="${colour}" opacity="0.35"/>`,
    )
    return `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${way}</text>${dots.join('')}
<path d="M${x(median).toFixed(1)} ${y - 11}v22" stroke="${colour}" stroke-width="3"/>
<text x="${(x(median) + 6).toFixed(1)}" y="${y - 6}" fill="${colour}">${median.toFixed(0)}</text>`
  })
  const titles: [keyof Rotation, string][] = [
    ['trust', 'new key in force, ms'],
    ['done', 'answered, ms'],
  ]
  const heads = titles.map(
    ([, text], at) =>
      `<text x="${LEFT}" y="${TOP - 6 + at * (WAYS.length * ROW + 24)}" font-weight="600">${text}</text>`,
  )
  const grid = ticks.map(
    value =>
      `<path d="M${x(value)} ${TOP}V${bottom}" stroke="#ddd"/><text x="${x(value)}" y="${bottom + 16}" text-anchor="middle" fill="#666">${value}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 28}" font-family="sans-serif" font-size="12">
<title>A rotation: the new key in force, and answered</title>
<rect width="100%" height="100%" fill="#fff"/>
${[...grid, ...heads, ...rows].join('\n')}
</svg>
`
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const MAP = join(import.meta.dirname, '../../docs/architecture.md')

/** The folders of agent/ in the order of the table of rooms, as paths from the root of the project. */
export function readRooms(): string[] {
  const [, table = ''] = readFileSync(MAP, 'utf8').split('## Rooms')
  return [...table.matchAll(/^\| \[`([^`]+)`\]/gm)].map(([, room = '']) => room.replace(/\/$/, ''))
}

import { existsSync, lstatSync, readdirSync, renameSync } from 'node:fs'
import { join, parse } from 'node:path'
import { readState, type State } from './state-file.ts'

/** Gives the state of a finished rotation its last name, beside the first, which is free again. */
export function fileAway(path: string, on: Date): string {
  const { dir, name, ext } = parse(path)
  const date = on.toISOString().slice(0, 10)
  const nth = (count: number) =>
    join(dir, `${name}-${date}${count > 1 ? `-${count}` : ''}-done${ext}`)
  let count = 1
  while (existsSync(nth(count))) count += 1
  renameSync(path, nth(count))
  return nth(count)
}

/** The last rotation that was filed away from this name, with its file. */
export function readLastDone(path: string): { file: string; state: State } | undefined {
  const { dir, name, ext } = parse(path)
  const isDone = (each: string) =>
    each.startsWith(`${name}-`) &&
    /^-\d{4}-\d{2}-\d{2}(-\d+)?-done$/.test(each.slice(name.length, each.length - ext.length)) &&
    each.endsWith(ext)
  const [last] = readdirSync(dir)
    .filter(isDone)
    .map(each => join(dir, each))
    .flatMap(file => {
      const stat = lstatSync(file, { throwIfNoEntry: false })
      return stat?.isFile() && stat.uid === process.getuid?.() ? [{ file, at: stat.mtimeMs }] : []
    })
    .toSorted((a, b) => b.at - a.at)
  const state = last === undefined ? undefined : readState(last.file)
  if (last === undefined || state === undefined || 'problem' in state) return undefined
  return state.rotation.step === 'done' ? { file: last.file, state } : undefined
}

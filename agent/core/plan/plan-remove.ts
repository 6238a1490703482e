import { posix } from 'node:path'
import { optional } from '../basics/when-defined.ts'
import { isRevokedKeys, type Layout } from '../config/layout.ts'
import type { Observation } from '../host/observation.ts'
import { outrankingPaths } from '../host/place-drop-in.ts'
import type { Step } from '../host/step.ts'
import { foundBefore, type Written } from '../host/written-files.ts'
import { takeBack, whyLeft } from './plan-files.ts'
import { planRestart } from './plan-restart.ts'
import { whyRevokedKeysStay } from './plan-revoked-keys.ts'

/** What `remove` does, and what of ours it can't give back: a sentence each. */
export interface Removal {
  steps: Step[]
  left: { written: Written; why: string }[]
}

/** The steps that take everything of ours off the host: by the record, and where we write now. */
export function planRemove(host: Observation, layout: Layout): Removal {
  const config = [layout.dropIn.path, ...outrankingPaths(layout)]
  const { written = [], madeFolders = [], found } = host
  const now = [
    { path: host.config.main, is: 'block' as const },
    ...config.map(path => ({ path, is: 'config' as const })),
    ...[layout.caFile, layout.revokedKeys].map(({ path }) => ({ path, is: 'keys' as const })),
  ]
    .filter(({ path }) => !found.has(path))
    .map(each => ({ ...each, ...optional('found', foundBefore(written, each.path)) }))
  const whyStays = ({ path }: Written) =>
    isRevokedKeys(path) ? whyRevokedKeysStay(host, layout, path) : undefined
  const others = written.filter(({ path }) => now.every(each => each.path !== path))
  const all = [...now, ...others].filter(each => whyStays(each) === undefined)
  const take = (...kinds: Written['is'][]) =>
    kinds.flatMap(is => all.filter(each => each.is === is)).flatMap(each => takeBack(each, host))
  const [removals, keys] = [take('block', 'config'), take('keys')]
  const ofSshd = written.filter(({ is }) => is !== 'textfile')
  const left = ofSshd.flatMap(each => {
    const why = whyStays(each) ?? whyLeft(each, host)
    return why === undefined ? [] : [{ written: each, why }]
  })
  if (removals.length + keys.length === 0) return { steps: [], left }
  const isList = (step: Step) => 'path' in step && isRevokedKeys(step.path)
  const vital = keys.some(isList)
  const why = 'sshd reads its configuration only at start'
  const restart = planRestart(host.service, why, 'config', vital)
  const folders = madeFolders.toReversed().map((path): Step => {
    return { do: 'remove-folder', path, why: 'made by us' }
  })
  const ofConfig = ({ path }: { path: string }) =>
    all.some(({ is, path: file }) => is === 'config' && posix.dirname(file) === path)
  const isOfConfig = (step: Step) => 'path' in step && ofConfig(step)
  const rereads = removals.length > 0 || vital
  const steps = [
    // What includes the drop-in goes before it.
    ...removals,
    ...folders.filter(isOfConfig),
    ...(host.sshd.kind === 'absent' ? [] : [CHECK_CONFIG]),
    ...(Array.isArray(restart) && rereads ? restart : []),
    ...keys,
    ...folders.filter(step => !isOfConfig(step)),
  ]
  return { steps, left }
}

const CHECK_CONFIG: Step = { do: 'check-config', why: 'sshd must be able to start' }

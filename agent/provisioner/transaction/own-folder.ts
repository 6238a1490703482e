import type { Place } from '../../core/config/layout.ts'
import type { Host } from '../host/host.ts'
import { runStep } from './run-step.ts'

/** Makes a folder that we keep our own things in, where it is missing. */
export async function makeOwnFolder(host: Host, folder: Place): Promise<void> {
  await runStep({ do: 'make-folder', ...folder, why: 'our own' }, host)
}

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { tempDir } from '../sshd/temp-dir.ts'

/** The program's folder with Node, gone when it is disposed of. */
export interface BuiltProgram extends AsyncDisposable {
  readonly folder: string
}

/** Builds the program in a process of its own: vitest's console lacks what the SBOM's tool needs. */
export async function builtProgram(): Promise<BuiltProgram> {
  const temp = await tempDir()
  const folder = join(temp.path, 'program')
  const build = fileURLToPath(new URL('../../installer/build.ts', import.meta.url))
  await execa(process.execPath, [build, folder])
  return { folder, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
}

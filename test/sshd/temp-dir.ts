import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempDir extends AsyncDisposable {
  readonly path: string
}

const open = new Set<string>()

// Private keys lie in these folders: they go even where a test forgot to dispose of them.
process.once('exit', () => {
  for (const path of open) rmSync(path, { recursive: true, force: true })
})

/** A new folder with mode 0700, removed when it is disposed of or the process exits. */
export async function tempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'pomerium-host-agent-'))
  open.add(path)
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
      open.delete(path)
    },
  }
}

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }

const source = fileURLToPath(new URL('..', import.meta.url))

/** The version that a build is of. */
export const VERSION = manifest.version

// Whoever calls it through the link in /usr/local/bin, it finds its own folder.
const LAUNCHER = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/node" "$here/agent/main.js" "$@"
`

/**
 * Builds the program's folder as it lies on a host: our code with the libraries it uses in a few
 * files (one for each command, so that each loads only its own), Node, and what starts them.
 */
export async function buildProgram(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  await build({
    absWorkingDir: source,
    entryPoints: ['agent/main.ts'],
    outdir: join(folder, 'agent'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    logLevel: 'warning',
    // The libraries that are CommonJS ask for node: modules by require().
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  })
  const { name, version, license } = manifest
  const kept = { name, version, license, type: 'module' }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`)
  cpSync(process.execPath, join(folder, 'node'))
  writeFileSync(join(folder, 'pomerium-host-agent'), LAUNCHER, { mode: 0o755 })
}

if (import.meta.main) {
  mkdirSync(join(source, 'dist'), { recursive: true })
  await buildProgram(join(source, 'dist', 'program'))
}

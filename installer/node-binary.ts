import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import lock from '../package-lock.json' with { type: 'json' }

/** The architectures that a Node is shipped for, in npm's names. */
export type Architecture = 'x64' | 'arm64'

// binutils under their full names exist on any Debian machine for either architecture, so what
// comes out does not depend on where it was built.
const STRIP: Record<Architecture, string> = {
  x64: 'x86_64-linux-gnu-strip',
  arm64: 'aarch64-linux-gnu-strip',
}

const downloads = fileURLToPath(new URL('../dist/downloads', import.meta.url))

/**
 * Lays the pinned Node for `architecture`, stripped, into `folder` as `bin/node`, with its `LICENSE`;
 * returns the path of the binary. Throws where its bytes are not those that package-lock.json names.
 */
export async function layNode(architecture: Architecture, folder: string): Promise<string> {
  const archive = await fetchPinned(`node-linux-${architecture}`)
  const wanted = ['package/bin/node', 'package/LICENSE']
  mkdirSync(folder, { recursive: true })
  await execa('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', ...wanted])
  const node = join(folder, 'bin', 'node')
  await execa(STRIP[architecture], [node])
  return node
}

// npm installs the package of its own architecture only; `npm pack` gives either, from npm's cache
// where `npm ci` has already brought it.
async function fetchPinned(name: string): Promise<string> {
  const packages: Record<string, { version?: string; integrity?: string }> = lock.packages
  const pinned = packages[`node_modules/${name}`]
  if (pinned?.integrity === undefined) throw new Error(`package-lock.json does not pin ${name}`)
  const archive = join(downloads, `${name}-${pinned.version}.tgz`)
  if (!existsSync(archive)) {
    mkdirSync(downloads, { recursive: true })
    const into = ['--pack-destination', downloads, '--prefer-offline']
    await execa('npm', ['pack', ...into, `${name}@${pinned.version}`], { stdin: 'ignore' })
  }
  const [algorithm = '', expected] = pinned.integrity.split(/-(.*)/)
  const found = createHash(algorithm).update(readFileSync(archive)).digest('base64')
  if (found !== expected) {
    throw new Error(`${archive} is not what package-lock.json pins; remove it and try again`)
  }
  return archive
}

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { execa } from 'execa'
import {
  DESCRIPTION,
  hostScript,
  layTree,
  type Packable,
  packageVersion,
  plain,
  SUMMARY,
} from './layout.ts'

const ARCHITECTURE = { x64: 'amd64', arm64: 'arm64' }

// deb-postinst(5) and its like: what dpkg says in $1.
const SCRIPTS = {
  preinst: 'case $1 in install | upgrade) read_no_start ;; esac',
  postinst: 'case $1 in configure | abort-remove) put_in_force "$2" ;; esac',
  prerm: 'case $1 in remove) stand_down "until the package is purged"; keep_for_purge ;; esac',
  postrm: 'case $1 in purge) put_back ;; esac',
}

/**
 * Makes the .deb of a program in `folder`; returns its path. By dpkg's own tool, and in xz, since the
 * dpkg of Debian 11 can't read zstd. `level`: xz's, 1 to 9; 0 for none, where it is read once.
 */
export async function packDeb(packable: Packable, folder: string, level = 2): Promise<string> {
  const { program, architecture, time } = packable
  const version = packageVersion(packable.version)
  const tree = `${program}.deb`
  await layTree(packable, tree)
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .toSorted()
  const contents = files.map(path => ({ path, bytes: readFileSync(path) }))
  const size = contents.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const control = join(tree, 'DEBIAN')
  mkdirSync(control)
  const lay = (name: string, text: string, mode = 0o644) =>
    writeFileSync(join(control, name), text, { mode })
  lay('control', controlFile(version, ARCHITECTURE[architecture], Math.ceil(size / 1024)))
  // For `dpkg --verify`.
  lay('md5sums', contents.map(({ path, bytes }) => md5Line(relative(tree, path), bytes)).join(''))
  for (const [name, does] of Object.entries(SCRIPTS)) {
    lay(name, `#!/bin/sh\nset -e\n${hostScript(does)}`, 0o755)
  }
  await execa('chmod', ['-R', 'u=rwX,go=rX', control])
  const made = join(folder, `pomerium-host-agent_${version}_${ARCHITECTURE[architecture]}.deb`)
  const compression = level === 0 ? ['-Znone'] : ['-Zxz', `-z${level}`]
  const flags = ['--root-owner-group', ...compression]
  await execa('dpkg-deb', [...flags, '--build', tree, made], plain(time, tree))
  rmSync(tree, { recursive: true })
  return made
}

const md5Line = (path: string, bytes: Buffer) =>
  `${createHash('md5').update(bytes).digest('hex')}  ${path}\n`

// Node's own needs, by what it is linked with.
const controlFile = (version: string, architecture: string, kibibytes: number) => `\
Package: pomerium-host-agent
Version: ${version}
Architecture: ${architecture}
Maintainer: The maintainers of pomerium-host-agent <maintainers@pomerium-host-agent.invalid>
Installed-Size: ${kibibytes}
Depends: libc6 (>= 2.28), libstdc++6 (>= 8), libgcc-s1 | libgcc1, openssh-server
Section: admin
Priority: optional
Homepage: https://www.pomerium.com/docs/capabilities/native-ssh-access
Description: ${SUMMARY}
${DESCRIPTION.map(line => ` ${line}\n`).join('')}`

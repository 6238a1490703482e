// OpenSSH run from a folder: sshd has paths compiled in, and all of it needs libraries that came along.

import { existsSync, globSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Tool } from '../sshd/tools.ts'

const PATHS: Record<Tool, string> = {
  sshd: 'usr/sbin/sshd',
  ssh: 'usr/bin/ssh',
  'ssh-keygen': 'usr/bin/ssh-keygen',
}

// What sshd starts, by absolute path, from 9.8 and from 10.0 on (sshd_config(5)); older ones know no such word.
const HELPERS = {
  SshdSessionPath: 'usr/lib/openssh/sshd-session',
  SshdAuthPath: 'usr/lib/openssh/sshd-auth',
}

/** Where the tools lie that `unpackOpenssh` made. */
export function binOf(folder: string): string {
  return join(folder, 'bin')
}

/** Unpacks Debian packages into a new folder, which may be moved, with those of the tools that they bring. */
export async function unpackOpenssh(debs: readonly string[], folder: string): Promise<void> {
  const tree = join(folder, 'tree')
  await mkdir(tree, { recursive: true })
  for (const deb of debs) await execa('dpkg-deb', ['--extract', deb, tree])
  // A copy that nobody upgrades gives nobody root.
  await execa('chmod', ['-R', 'ug-s', tree])
  const libraries = globSync('{lib,usr/lib}/*-linux-*', { cwd: tree })
  const helpers = Object.entries(HELPERS).filter(([, path]) => existsSync(join(tree, path)))
  await mkdir(binOf(folder))
  for (const [tool, path] of Object.entries(PATHS)) {
    if (!existsSync(join(tree, path))) continue
    const options = tool === 'sshd' ? helpers : []
    const words = options.map(([name, helper]) => `-o "${name}=\\"$tree/${helper}\\"" `)
    const script = `#!/bin/sh
# ${tool}, with what it was packed with.
tree=\${0%/bin/*}/tree
export LD_LIBRARY_PATH="${libraries.map(library => `$tree/${library}`).join(':')}"
exec "$tree/${path}" ${words.join('')}"$@"
`
    await writeFile(join(binOf(folder), tool), script, { mode: 0o755 })
  }
}

/** Whether each tool starts; a library that is missing or of another release shows here. */
export async function works(folder: string, tools: readonly Tool[]): Promise<boolean> {
  for (const tool of tools) {
    // Not all know -V, and those that don't print their usage.
    const { stderr = '' } = await execa(join(binOf(folder), tool), ['-V'], { reject: false })
    if (!/^OpenSSH_|^usage: ssh/m.test(stderr)) return false
  }
  return true
}

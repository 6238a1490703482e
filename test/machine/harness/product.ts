// The program as it lies on a host, built from the checkout under test.

import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { TestProject } from 'vitest/node'
import { buildProgram, VERSION } from '../../../installer/build.ts'
import { machineTier } from './available.ts'
import { cacheDir } from './base.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The layer that holds the program, for `bootHost`. */
    productLayer: string
  }
}

/** Vitest's global set-up: one build for all files of a project, thrown away after them. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (!machineTier().ok) return undefined
  const { layer, remove } = await buildProduct()
  project.provide('productLayer', layer)
  return remove
}

/** Builds the layer that holds the program, and says how to throw it away. */
export async function buildProduct(): Promise<{ layer: string; remove(): Promise<void> }> {
  await mkdir(cacheDir(), { recursive: true })
  // A name of its own: what a killed run has left may have had this process id.
  const layer = await mkdtemp(join(cacheDir(), 'product-'))
  const program = join(layer, 'usr/local/lib/pomerium-host-agent', VERSION)
  await mkdir(join(layer, 'usr/local/bin'), { recursive: true })
  await mkdir(program, { recursive: true })
  await buildProgram(program)
  const link = join(layer, 'usr/local/bin/pomerium-host-agent')
  await symlink(`../lib/pomerium-host-agent/${VERSION}/pomerium-host-agent`, link)
  // Whatever the umask here, on a host everybody may run it.
  await execa('chmod', ['-R', 'go+rX', layer])
  return { layer, remove: () => rm(layer, { recursive: true, force: true }) }
}

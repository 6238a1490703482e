import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'

/** The checkout under test. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url))

/** Who builds, and how this person's machine is set up. */
export interface Builder {
  readonly umask: string
  readonly environment: Readonly<Record<string, string>>
}

/** Copies the checkout, with what is not committed yet, to `target`, as `builder` would have it. */
export async function copyCheckout(target: string, builder: Builder): Promise<void> {
  await execa('git', ['clone', '--quiet', '--shared', '--no-checkout', checkout, target])
  await mkdir(join(target, 'node_modules'), { recursive: true })
  const copy = `umask ${builder.umask}
    git -C "$0" ls-files -zco --exclude-standard | tar -C "$0" --null --ignore-failed-read -T - -c |
      tar -C "$1" --no-same-permissions -x
    cp -a --reflink=auto "$0/node_modules/." "$1/node_modules/"`
  await execa('sh', ['-ec', copy, checkout, target])
}

/** Makes a release in the checkout `source`, as `builder`; `options` are those of buildRelease. */
export async function makeRelease(
  source: string,
  builder: Builder,
  options: { readonly folder: string; readonly [name: string]: unknown },
): Promise<void> {
  const program = join(source, 'test/release/make-release.ts')
  const script = 'umask "$0"; exec "$@"'
  const command = [process.execPath, program, JSON.stringify(options)]
  await execa('sh', ['-c', script, builder.umask, ...command], { env: builder.environment })
}

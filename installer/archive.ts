import { basename, dirname } from 'node:path'
import { execa } from 'execa'

/** How an archive is compressed: `xz`, or `gz` for hosts without xz. */
export type Compression = 'xz' | 'gz'

// One thread, because xz cuts the stream into blocks when it has more; no filter for x86 code, which
// saves 3 % and which busybox can't undo. The settings of whoever
// builds (XZ_OPT, GZIP, TAR_OPTIONS) are kept out by an environment of its own.
const COMPRESS: Record<Compression, string[]> = {
  xz: ['xz', '-9e', '-T1', '--stdout'],
  gz: ['gzip', '-9n', '--stdout'],
}

/**
 * Packs `folder` as the single top folder of `archive`. The bytes depend on the files and `time`
 * (seconds since 1970) only: not on owner, umask, locale, or the order on disk
 * (https://reproducible-builds.org/docs/archives/).
 */
export async function packFolder(
  folder: string,
  archive: string,
  compression: Compression,
  time: number,
): Promise<void> {
  const plain = { extendEnv: false, env: { PATH: process.env.PATH, LC_ALL: 'C' }, buffer: false }
  const [command = '', ...flags] = COMPRESS[compression]
  const same = ['--sort=name', '--format=ustar', `--mtime=@${time}`, '--mode=u=rwX,go=rX']
  const root = ['--owner=root:0', '--group=root:0', '--numeric-owner']
  const from = ['-C', dirname(folder), basename(folder)]
  await execa('tar', ['-c', ...same, ...root, ...from], { ...plain, encoding: 'buffer' }).pipe(
    command,
    flags,
    { ...plain, stdout: { file: archive } },
  )
}

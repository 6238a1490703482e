import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { describeTier } from '../../sshd/describe-tier.ts'
import { machineTier } from '../harness/available.ts'

const WATCH = new URL('../../../agent/daemon/polling/watch-folders.ts', import.meta.url).href
// A user namespace has limits of its own, which its root may set.
const NO_INOTIFY = 'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"'

describeTier('the watch where no inotify is left', machineTier(), () => {
  test('looks at the clock (EMFILE), and says so once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'watched-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'pomerium-ca.conf')
    writeFileSync(file, '')
    const program = `
      import { watchFolders } from ${JSON.stringify(WATCH)}
      const say = text => process.stdout.write(text + '\\n')
      watchFolders([{ path: ${JSON.stringify(folder)} }], () => say('drift'), say)
      say('watching')`
    const node = [process.execPath, '--input-type=module', '-e', program]
    const argv = ['--user', '--map-root-user', 'sh', '-c', NO_INOTIFY, 'sh', ...node]
    const child = spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async () => (await lines.next()).value
    expect([await next(), await next()]).toEqual(['EMFILE', 'watching'])
    chmodSync(file, 0o644)
    expect(await next()).toBe('drift')
    rmSync(file)
    expect(await next()).toBe('drift')
  })
})

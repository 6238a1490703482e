import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../installer/build.ts'
import { freePort } from '../free-port.ts'
import { ensureArm64 } from '../machine/harness/base.ts'
import { describeTier } from '../sshd/describe-tier.ts'
import { tempDir } from '../sshd/temp-dir.ts'
import { releaseTier } from './available.ts'
import { type ByHand, verifyByHand } from './by-hand.ts'
import { type Builder, checkout, copyCheckout, makeRelease } from './checkout.ts'

const SERVE_FOLDER = join(import.meta.dirname, '../machine/programs/serve-folder.ts')
const TOP = `pomerium-host-agent-${VERSION}`

const usual: Builder = { umask: '022', environment: { TZ: 'UTC', LC_ALL: 'C' } }
const unusual: Builder = {
  umask: '077',
  environment: { TZ: 'Pacific/Chatham', LC_ALL: 'C.UTF-8', XZ_OPT: '-0', TAR_OPTIONS: '--posix' },
}

describeTier('a release', releaseTier(), () => {
  let folder: string
  let key: string

  // Compressing Node with xz takes a minute; gzip shows the same, and xz is shown on the small one.
  const linux = { targets: ['linux-x64', 'linux-arm64'], compressions: ['gz'], debLevel: 0 }
  const noarch = { targets: ['noarch'], compressions: ['gz', 'xz'] }

  beforeAll(async () => {
    const temp = await tempDir()
    folder = temp.path
    // What root's children run must be readable to them.
    await chmod(folder, 0o755)
    key = join(folder, 'key')
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key])
    const copy = join(folder, 'another/place')
    await copyCheckout(copy, unusual)
    const signingKey = key
    const make = async (source: string, builder: Builder, to: string) => {
      await makeRelease(source, builder, { ...linux, folder: `${to}-linux`, signingKey })
      await makeRelease(source, builder, { ...noarch, folder: `${to}-noarch`, signingKey })
    }
    await Promise.all([
      make(checkout, usual, join(folder, 'one')),
      make(copy, unusual, join(folder, 'two')),
    ])
    return () => temp[Symbol.asyncDispose]()
  })

  const unpack = async (archive: string, to: string) => {
    await mkdir(join(folder, to))
    await execa('tar', ['-xf', join(folder, archive), '-C', join(folder, to)])
    return join(folder, to, TOP)
  }

  test.each(['linux', 'noarch'])('%s: another place, umask, zone, locale: the same bytes', kind => {
    const [one, two] = ['one', 'two'].map(name => join(folder, `${name}-${kind}`)) as [
      string,
      string,
    ]
    const names = readdirSync(one)
    expect(names.length).toBeGreaterThan(3)
    expect(readdirSync(two)).toEqual(names)
    // With one key even the signature: ed25519 has no randomness.
    const differ = names.filter(
      name => !readFileSync(join(one, name)).equals(readFileSync(join(two, name))),
    )
    expect(differ).toEqual([])
  })

  test('the sums are right, and signed by the key that install.sh carries', async () => {
    const cwd = join(folder, 'one-linux')
    await execa('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd })
    const installer = readFileSync(join(cwd, 'install.sh'), 'utf8')
    const signer = /^RELEASE_SIGNER='(ssh-ed25519 [\w+/=]+)'$/m.exec(installer)?.[1]
    expect(readFileSync(`${key}.pub`, 'utf8')).toContain(signer)
    await writeFile(join(folder, 'signers'), `release namespaces="file" ${signer}\n`)
    const who = ['-f', join(folder, 'signers'), '-I', 'release', '-n', 'file']
    await execa('ssh-keygen', ['-Y', 'verify', ...who, '-s', 'SHA256SUMS.sig'], {
      cwd,
      inputFile: join(cwd, 'SHA256SUMS'),
    })
    expect(installer).toContain(`VERSION='${VERSION}'`)
    expect(installer).toContain("DOWNLOAD_URL=''")
  })

  describe('by hand, as docs/security.md has it', () => {
    let commands: ByHand
    let served: string
    let port: number
    beforeAll(async () => {
      const { stdout } = await execa('ssh-keygen', ['-l', '-f', `${key}.pub`])
      served = join(folder, 'served')
      await execa('cp', ['-r', join(folder, 'one-linux'), served])
      port = await freePort()
      const server = execa(process.execPath, [SERVE_FOLDER, served, String(port)], {
        reject: false,
      })
      commands = verifyByHand(`http://127.0.0.1:${port}`, stdout.split(' ')[1] ?? '')
      await execa('curl', [
        '-fsS',
        '--retry',
        '20',
        '--retry-connrefused',
        `http://127.0.0.1:${port}/SHA256SUMS`,
      ])
      return () => void server.kill()
    })
    /** In a folder of its own; the first that fails ends it. */
    const run = async (name: string, ...blocks: string[]) => {
      const cwd = join(folder, `by-hand-${name}`)
      await mkdir(cwd)
      const { exitCode, stdout } = await execa('sh', ['-ec', blocks.join('\n')], {
        cwd,
        reject: false,
      })
      return { exitCode, stdout }
    }
    const spoil = (name: string, from: string | RegExp, to: string) => {
      const text = readFileSync(join(folder, 'one-linux', name), 'latin1')
      expect(text).toMatch(from)
      return writeFile(join(served, name), text.replace(from, to), 'latin1')
    }
    const mend = () => execa('cp', ['-rT', join(folder, 'one-linux'), served])

    test('a whole release is good, and so are its packages', async () => {
      const { fetch, compare, verify, packages } = commands
      const { exitCode, stdout } = await run('good', fetch, compare, verify, packages)
      expect(stdout).toContain('Good "file" signature for release')
      expect(stdout).toContain('install.sh: OK')
      for (const end of ['amd64.deb', 'x86_64.rpm', 'linux-x64.tar.gz']) {
        expect(stdout).toContain(`${end}: OK`)
      }
      expect(exitCode).toBe(0)
    })

    test('a script that names another signer ends at the fingerprint', async () => {
      const other = join(folder, 'other-key')
      await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', other])
      const theirs = readFileSync(`${other}.pub`, 'utf8').trim()
      await spoil('install.sh', /^RELEASE_SIGNER='.*'$/m, `RELEASE_SIGNER='${theirs}'`)
      const { exitCode, stdout } = await run('other-signer', commands.fetch, commands.compare)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      await mend()
    })

    test.each<[what: string, name: string, from: string | RegExp, to: string]>([
      ['a false script that names the true signer', 'install.sh', 'set -eu', 'set -eu; : owned'],
      // A first digit alone would be the same once in sixteen releases.
      ['sums that somebody changed', 'SHA256SUMS', /^[0-9a-f]{64}/, 'f'.repeat(64)],
      ['another signature', 'SHA256SUMS.sig', /\n..../, '\nAAAA'],
    ])('%s ends at the sums', async (what, name, from, to) => {
      await spoil(name, from, to)
      const { fetch, compare, verify } = commands
      expect((await run(what.replaceAll(' ', '-'), fetch, compare)).exitCode).toBe(0)
      expect((await run(`${what}-whole`, fetch, compare, verify)).exitCode).not.toBe(0)
      await mend()
    })

    test.each(['amd64.deb', 'x86_64.rpm', 'linux-x64.tar.gz'])('a byte of the %s', async end => {
      const name = readdirSync(served).find(each => each.endsWith(end)) ?? ''
      await execa('sh', ['-c', `printf x >> ${join(served, name)}`])
      const { fetch, compare, verify, packages } = commands
      const { exitCode, stdout } = await run(`byte-${end}`, fetch, compare, verify, packages)
      expect(stdout).toContain(`${name}: FAILED`)
      expect(exitCode).not.toBe(0)
      await mend()
    })
  })

  test('one folder, owned by root, readable to all, writable to root alone', async () => {
    const archive = join(folder, `two-linux/${TOP}-linux-x64.tar.gz`)
    const { stdout } = await execa('tar', ['--numeric-owner', '-tvzf', archive])
    const lines = stdout.split('\n')
    expect(lines.filter(line => !line.includes(` ${TOP}/`))).toEqual([])
    expect(lines.filter(line => !/^(-rw-r--r--|[-d]rwxr-xr-x) 0\/0 /.test(line))).toEqual([])
  })

  describe.each([
    ['x64', 'amd64', 'x86_64'],
    ['arm64', 'arm64', 'aarch64'],
  ])('as packages for %s', (architecture, ofDebian, ofRpm) => {
    const deb = () => join(folder, `one-linux/pomerium-host-agent_${VERSION}_${ofDebian}.deb`)
    const rpm = () => join(folder, `one-linux/${TOP}-1.${ofRpm}.rpm`)

    test('the same program as in the archive, but for where it is called', async () => {
      const archive = await unpack(`one-linux/${TOP}-linux-${architecture}.tar.gz`, `of-${ofRpm}`)
      const tree = join(folder, `deb-${architecture}`)
      await execa('dpkg-deb', ['-x', deb(), tree])
      const packed = join(tree, 'usr/libexec/pomerium-host-agent')
      const { stdout } = await execa('diff', ['-rq', archive, packed], { reject: false })
      const differ = stdout.split('\n').map(line => /^Files \S+ and (\S+) differ$/.exec(line)?.[1])
      expect(differ.length).toBeGreaterThan(3)
      for (const path of differ) {
        expect(path).toMatch(/\/(systemd|init)\//)
        expect(readFileSync(path ?? '', 'utf8')).not.toContain('/usr/local/bin')
      }
      const label = await execa('dpkg-deb', ['-f', deb(), 'Version', 'Architecture'])
      expect(label.stdout).toBe(`Version: ${VERSION}\nArchitecture: ${ofDebian}`)
      const digests = '[%{FILEDIGESTS} %{FILENAMES}\\n]'
      const files = await execa('rpm', ['-qp', '--queryformat', digests, rpm()])
      const expected = await execa('sh', ['-c', 'find usr -type f | xargs sha256sum'], {
        cwd: tree,
      })
      const inRpm = files.stdout.split('\n').filter(line => /^[0-9a-f]{64} /.test(line))
      expect(inRpm.toSorted()).toEqual(
        expected.stdout
          .split('\n')
          .map(line => line.replace('  ', ' /'))
          .toSorted(),
      )
    })

    test('sound digests, and scripts that shellcheck has nothing to say about', async () => {
      await execa('rpm', ['-K', '--nosignature', rpm()])
      const control = join(folder, `control-${architecture}`)
      await execa('dpkg-deb', ['-e', deb(), control])
      for (const name of ['preinst', 'postinst', 'prerm', 'postrm']) {
        await execa('shellcheck', [join(control, name)])
      }
      for (const tag of ['PREIN', 'POSTIN', 'PREUN']) {
        const { stdout: input } = await execa('rpm', ['-qp', '--queryformat', `%{${tag}}`, rpm()])
        expect(input).toContain('configure --renewed')
        await execa('shellcheck', ['--shell=sh', '-'], { input })
      }
    })
  })

  describe('on arm64, under qemu', () => {
    let run: (...args: string[]) => Promise<{ stdout?: string; exitCode?: number | undefined }>

    beforeAll(async () => {
      const libraries = await ensureArm64()
      const program = await unpack(`one-linux/${TOP}-linux-arm64.tar.gz`, 'arm64')
      // The kernel here can not start the binary by itself, also not when the program starts itself.
      const node = join(folder, 'node-arm64')
      const script = `#!/bin/sh\nexec qemu-aarch64-static -L ${libraries} ${program}/node "$@"\n`
      await writeFile(node, script, { mode: 0o755 })
      const itself = join(folder, 'itself.mjs')
      await writeFile(itself, `process.execPath = ${JSON.stringify(node)}\n`)
      run = (...args) =>
        execa(node, [join(program, 'agent/main.js'), ...args], {
          env: { NODE_OPTIONS: `--import=${itself}` },
          reject: false,
        })
      await execa('ssh-keygen', [
        '-q',
        '-t',
        'ed25519',
        '-N',
        '',
        '-C',
        'ca',
        '-f',
        join(folder, 'ca'),
      ])
    }, 300_000)

    test('it says its version', async () => {
      expect((await run('--version')).stdout).toBe(`pomerium-host-agent ${VERSION}`)
    })

    test('it plans for a tree', async () => {
      const root = join(folder, 'root')
      await mkdir(join(root, 'etc/ssh'), { recursive: true })
      await mkdir(join(root, 'etc/pomerium'))
      await writeFile(join(root, 'etc/ssh/sshd_config'), 'Include /etc/ssh/sshd_config.d/*.conf\n')
      const config = `source:\n  url: file://${join(folder, 'ca.pub')}\n`
      await writeFile(join(root, 'etc/pomerium/host-agent.yaml'), config)
      const result = await run('plan', '--root', root)
      expect(result.stdout).toMatch(
        /write +\/var\/lib\/pomerium\/pomerium_user_ca_key.pub +missing/,
      )
      expect(result.exitCode).toBe(10)
    })

    test('it shows a bundle', async () => {
      const result = await run('bundle', 'show', join(folder, 'ca.pub'))
      expect(result.stdout).toMatch(/^SHA256:\S+ +ssh-ed25519 +ca$/m)
      expect(result.exitCode).toBe(0)
    })
  })

  describe('without Node inside', () => {
    let launcher: string
    const fakeNode = async (version: string | undefined) => {
      const bin = join(folder, `bin-${version}`)
      await mkdir(bin)
      for (const tool of ['dirname', 'readlink']) {
        await execa('ln', ['-s', (await execa('which', [tool])).stdout, join(bin, tool)])
      }
      const script = `#!/bin/sh\necho ${version}\n`
      if (version) await writeFile(join(bin, 'node'), script, { mode: 0o755 })
      return execa('/bin/sh', [launcher, '--version'], {
        env: { PATH: bin },
        extendEnv: false,
        reject: false,
      })
    }

    beforeAll(async () => {
      const program = await unpack(`one-noarch/${TOP}-noarch.tar.xz`, 'noarch')
      launcher = join(program, 'pomerium-host-agent')
    })

    test('it runs on the host’s', async () => {
      const { stdout } = await execa(launcher, ['--version'])
      expect(stdout).toBe(`pomerium-host-agent ${VERSION}`)
    })

    test.each([
      ['v22.11.0', /needs version 24 or newer in PATH; .*node is v22\.11\.0$/],
      [undefined, /needs version 24 or newer in PATH; there is none$/],
    ])('with %s it says in one line what it needs', async (version, message) => {
      const result = await fakeNode(version)
      expect(result.stderr).toMatch(message)
      expect(result.exitCode).toBe(2)
    })
  })
})

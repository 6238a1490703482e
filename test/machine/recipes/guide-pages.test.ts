// The pages of the guide that take a reader by the hand, followed word by word on one host, in their order: every
// command of theirs is run but `ssh you@server1@ssh.example.com`, for which there would have to be a Pomerium. Of
// Pomerium's own settings it is seen that they are YAML, lead to keys that it could read, and name the server.

import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { codeBlocks, readPage } from '../../docs/code-blocks.ts'
import { describeTier } from '../../sshd/describe-tier.ts'
import { type Certificate, generateKey } from '../../sshd/ssh-ca.ts'
import { type TempDir, tempDir } from '../../sshd/temp-dir.ts'
import { machineTier } from '../harness/available.ts'
import { addAddress, login } from '../harness/login.ts'
import { type BareHost, bootBareHost } from '../hosts/bare-host.ts'
import { RELEASE_URL, type ReleaseKit, releaseKit } from '../hosts/release-kit.ts'

const WORK = '/srv/work'
const SERVER = '10.0.1.100'
const POMERIUM = '203.0.113.7'

// What stands in for Pomerium's own program: it joins the two ends, as the page's route says.
const POMERIUM_CLI = `#!/bin/sh
case "$*" in
  'tcp --listen - server1.example.com:22') exec socat - TCP:${SERVER}:22 ;;
  'tcp server1.example.com:22 --listen 127.0.0.1:2202')
    exec socat TCP-LISTEN:2202,bind=127.0.0.1,fork TCP:${SERVER}:22 ;;
  *) echo "no tunnel: $*" >&2; exit 2 ;;
esac
`
const SSH_CONFIG = 'StrictHostKeyChecking accept-new\nBatchMode yes\nConnectTimeout 3\n'

describeTier('the guide, followed word by word', machineTier(), () => {
  let kit: ReleaseKit
  let it: BareHost
  let outside: TempDir
  let keys = 0
  beforeAll(async () => {
    ;[kit, outside] = await Promise.all([releaseKit(), tempDir()])
    it = await bootBareHost({
      suite: 'bookworm',
      packages: ['nftables', 'openssl', 'socat'],
      async prepare(files) {
        await files.write('/etc/hosts', '127.0.0.1 localhost server1.example.com\n')
        await files.write('/etc/ssh/ssh_config.d/test.conf', SSH_CONFIG)
        await files.write('/usr/local/bin/pomerium-cli', POMERIUM_CLI, { mode: 0o755 })
      },
    })
    await it.offer(await kit.make())
    for (const address of [SERVER, POMERIUM]) await addAddress(it.host, address)
    await it.host.exec(`mkdir ${WORK}`)
  })
  afterAll(async () => {
    for (const each of [it, kit, outside]) await each?.[Symbol.asyncDispose]()
  })

  const sh = (line: string) =>
    it.host.exec(['sh', '-euc', `cd ${WORK}\n${line}`], { timeoutMs: 120_000, allowFail: true })
  // Where the release lies, whose account it is, and that root needs no sudo: the rest is the page's.
  const here = (text: string) =>
    text
      .replaceAll('https://downloads.example.com', RELEASE_URL)
      .replaceAll('sudo ', '')
      .replaceAll('you@', 'alice@')

  /**
   * Does what the page says, block by block; whether each is run must have been decided. For one that can't be,
   * `standIn` is done in its place.
   */
  const follow = async (name: string, standIn?: () => Promise<void>) => {
    const said: string[] = []
    for (const { text, mark, line } of codeBlocks(readPage(`docs/guide/${name}.md`))) {
      const path = /^file=(\S+)$/.exec(mark)?.[1]?.replace('~', '/root')
      if (path !== undefined) await it.host.write(path, text, { mode: 0o600 })
      else if (mark === 'background') {
        await sh(`(${text.trim()}) >/dev/null 2>&1 </dev/null &`)
        await it.host.waitFor(text, async () => (await sh('ss -Hltn sport = :2202')).stdout !== '')
      } else if (mark === 'run') {
        const { code, stdout, stderr } = await sh(here(text))
        expect({ line, code }, `${stdout}\n${stderr}`).toEqual({ line, code: 0 })
        said.push(stdout)
      } else {
        expect({ line, mark, standIn }).toEqual({
          line,
          mark: 'not-run',
          standIn: expect.anything(),
        })
        await standIn?.()
      }
    }
    return said.join('\n')
  }

  /** A certificate as Pomerium makes it, by the key of the page. */
  const certificate = async (): Promise<Certificate> => {
    keys += 1
    const privateKey = join(outside.path, `user${keys}`)
    await generateKey(privateKey, 'ed25519')
    const ca = it.host.path(`${WORK}/pomerium_user_ca_key`)
    const shape = ['-I', '', '-z', '1', '-V', '-1m:+1h', '-n', 'alice']
    await execa('ssh-keygen', ['-q', '-s', ca, ...shape, `${privateKey}.pub`])
    return { privateKey, certificate: `${privateKey}-cert.pub` }
  }

  test('from Pomerium and one server to a login', async () => {
    const from = async (address: string) =>
      (await login(it.host, { certificate: await certificate(), from: address })).outcome
    const said = await follow('first-login', async () => {
      expect(await from(POMERIUM)).toBe('accepted')
      // sshd's line takes a moment to come into the journal.
      await it.host.waitFor('the line', async () => (await it.host.journal()).includes('Accepted'))
    })
    expect(said).toMatch(new RegExp(`Accepted publickey for alice from ${POMERIUM} .*ED25519-CERT`))
    expect(await it.host.read('/etc/pomerium/host-agent.yaml')).toContain(POMERIUM)
    const settings = parse(await it.host.read('/etc/pomerium/config.d/ssh.yaml'))
    // What Pomerium would look for, it would find: private keys without a passphrase.
    for (const key of [settings.ssh_user_ca_key_file, ...settings.ssh_host_key_files]) {
      const name = key.replace('/etc/pomerium/ssh/', '')
      expect(await sh(`ssh-keygen -y -P '' -f ${name}`)).toMatchObject({ code: 0 })
    }
    expect(settings.routes[0]).toMatchObject({ from: 'ssh://server1', to: `ssh://${SERVER}:22` })
    // From Pomerium alone, and by this agent alone.
    expect([await from(POMERIUM), await from(SERVER)]).toEqual(['accepted', 'refused'])
    await it.host.exec('pomerium-host-agent remove')
    expect(await from(POMERIUM)).toBe('refused')
    await it.host.exec('pomerium-host-agent apply')
  })

  test('signers', async () => {
    expect(await follow('signers')).toContain('alice@laptop')
    const publish = (serial: number, key: string) =>
      sh(`pomerium-host-agent bundle create --serial ${serial} -o bundle pomerium_user_ca_key.pub
        ${key === '' ? '' : `pomerium-host-agent bundle sign --key ${key} -o bundle bundle`}
        cp bundle /etc/pomerium/bundle && pomerium-host-agent apply`)
    expect(await publish(10, '')).toMatchObject({ code: 4 })
    expect(await publish(11, 'second-signer')).toMatchObject({ code: 4 })
    expect(await publish(12, 'signer')).toMatchObject({ code: 0 })
  })

  test('the webhook', async () => {
    const said = await follow('webhook')
    // notify, and status, which says how many are well.
    expect(said.match(/server1\.example\.com +converged/g)).toHaveLength(2)
    expect(said).toContain('1 of 1 hosts are well and trust serial 12\n')
    expect(said).toMatch(/\n401\n/)
    expect(said).toContain('"outcome":"unchanged"')
    expect(said).toContain('"ok":true')
    // The same by another secret is refused: what the page signs with is what counts.
    await sh('mv webhook-secret kept; pomerium-host-agent bundle new-secret webhook-secret')
    const notify = 'pomerium-host-agent bundle notify server1.example.com --secret-file'
    expect(await sh(`${notify} webhook-secret`)).toMatchObject({ code: 9 })
    expect(await sh(`${notify} kept`)).toMatchObject({ code: 0 })
  })

  test('tunnelled SSH', async () => {
    await sh(`mkdir -pm 700 /root/.ssh && ssh-keygen -qt ed25519 -N '' -f /root/.ssh/id_ed25519
      install -d -m 700 -o alice /home/alice/.ssh
      install -m 600 -o alice /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys`)
    await follow('tunnelled-ssh')
    const { routes } = parse(await it.host.read('/etc/pomerium/config.d/tunnel.yaml'))
    expect(routes).toMatchObject([
      { from: 'tcp+https://server1.example.com:22', to: `tcp://${SERVER}:22` },
    ])
    // Pomerium still comes in, and nobody else.
    const from = (address: string) => sh(`ssh -b ${address} alice@${SERVER} true`)
    expect(await from(POMERIUM)).toMatchObject({ code: 0 })
    expect(await from(SERVER)).toMatchObject({ code: 255 })
    await it.host.exec('nft delete table inet pomerium_ssh')
    expect(await from(SERVER)).toMatchObject({ code: 0 })
  })
})

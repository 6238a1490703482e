import { expect, test } from 'vitest'
import { DROP_IN, describeUnderSystemd } from '../hosts/under-systemd.ts'

// Stays for a moment, so that sshd is there to be looked at.
const CONNECT = `require('net').connect(22, '127.0.0.1').on('data', () => setTimeout(process.exit, 2000))`

describeUnderSystemd('started by a socket', on => {
  test('ssh.socket: idle, and what becomes of it with a connection', async () => {
    await on.sh('systemctl disable --now ssh.service; systemctl enable --now ssh.socket')
    const perConnection = on.suite === 'bullseye'
    const idle = perConnection
      ? { kind: 'per-connection', unit: 'ssh@.service', socket: 'ssh.socket' }
      : { kind: 'idle', unit: 'ssh.service', socket: 'ssh.socket' }
    expect(await on.service.state()).toEqual(idle)
    on.ran.length = 0
    await on.service.restart()
    expect(on.ran.join('\n')).not.toMatch(/restart|start/)
    const connection = on.outside(CONNECT)
    await on.host.waitFor('sshd', async () => (await on.sh('pgrep -x sshd')).code === 0)
    if (perConnection) {
      expect(await on.service.state()).toEqual(idle)
    } else {
      // `sshd -t` of the unit comes first, and there is no listener yet.
      await on.host.waitFor('sshd to listen', async () => 'argv' in (await on.service.state()))
      expect(await on.service.state()).toMatchObject({
        kind: 'running',
        unit: 'ssh.service',
        socket: 'ssh.socket',
        argv: ['/usr/sbin/sshd', '-D'],
      })
      const pid = await on.mainPid()
      await on.service.restart()
      expect(await on.mainPid()).not.toBe(pid)
      expect((await on.host.unitProperties('ssh.socket', ['ActiveState'])).ActiveState).toBe(
        'active',
      )
    }
    connection.kill()
    expect(await on.listens()).toBe(true)
  })

  const withService = on.suite !== 'bullseye'
  // Debian 11's socket has no service to be taken along by: a shape that is not there, not a skip.
  if (withService)
    test('a socket that its service took along is started', async () => {
      await on.sh('systemctl disable --now ssh.service; systemctl enable --now ssh.socket')
      await on.host.write(DROP_IN, '[Service]\nExecStartPre=/bin/false\nRestart=no\n')
      await on.sh('systemctl daemon-reload')
      on.outside(CONNECT)
      await on.host.waitFor('the socket to fail', async () => {
        return (
          (await on.host.unitProperties('ssh.socket', ['ActiveState'])).ActiveState === 'failed'
        )
      })
      expect(await on.listens()).toBe(false)
      expect(await on.service.state()).toMatchObject({ kind: 'failed', socket: 'ssh.socket' })
      await on.sh(`rm ${DROP_IN}; systemctl daemon-reload`)
      await on.service.restart()
      expect(await on.service.state()).toMatchObject({ kind: 'idle' })
      expect(await on.listens()).toBe(true)
    })
})

import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { wakeProvisioner } from '../../../agent/daemon/cycle/provisioner-client.ts'
import { tempDir } from '../../sshd/temp-dir.ts'

test('waking the provisioner says nothing to it', async () => {
  await using folder = await tempDir()
  const path = join(folder.path, 'provisioner.sock')
  const server = createServer()
  await once(server.listen(path), 'listening')
  wakeProvisioner(path)
  const [socket] = (await once(server, 'connection')) as [Socket]
  expect(await text(socket)).toBe('')
  server.close()
})

test('and where nobody is there, nothing comes of it', async () => {
  await using folder = await tempDir()
  wakeProvisioner(join(folder.path, 'none.sock'))
  // An error that nobody hears would end the process, and this test with it.
  await new Promise(resolve => setTimeout(resolve, 50))
})

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import type { ServiceState } from '../../../agent/core/host/observation.ts'
import { writeJournal } from '../../../agent/provisioner/transaction/journal.ts'
import { recover } from '../../../agent/provisioner/transaction/roll-back.ts'
import { temporaryHost } from '../temporary-host.ts'

// Planned while no sshd ran: no restart is among the steps.
test.each<[ServiceState, boolean[]]>([
  [{ kind: 'running', unit: 'ssh.service' }, [true]],
  [{ kind: 'not-running', unit: 'ssh.service' }, []],
])(
  'a list of revoked keys goes behind the restart of who may have read its name: %o',
  async (state, there) => {
    using it = await temporaryHost()
    const { layout, at } = it.host
    const { path } = layout.revokedKeys
    mkdirSync(dirname(at(path)), { recursive: true })
    writeFileSync(at(path), '')
    const undo = [{ do: 'remove-file', path, vital: true, why: 'undone' } as const]
    writeJournal(it.host, { version: 1, undo, restarted: false })
    const seen: boolean[] = []
    const restart = async () => {
      seen.push(existsSync(at(path)))
      return 'restarted' as const
    }
    const service = { ...it.host.service, state: async () => state, restart }
    await recover({ ...it.host, service })
    expect(seen).toEqual(there)
    expect(existsSync(at(path))).toBe(false)
  },
)

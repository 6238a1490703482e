import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import type { Sshd } from '../../../agent/provisioner/openssh/openssh.ts'
import { runStep } from '../../../agent/provisioner/transaction/run-step.ts'
import { hostOn, newMachine } from '../played-host.ts'
import { defaultConfig } from '../temporary-host.ts'

const CA = '/var/lib/pomerium/ca.pub'

async function prove(over: Partial<Sshd>) {
  using machine = newMachine(tmpdir())
  const host = hostOn(machine, defaultConfig().sshd)
  if (host.sshd === undefined) throw new Error('no sshd')
  const sshd = { ...host.sshd, ...over }
  const proofs = [{ trusted: true }]
  await runStep({ do: 'prove-trust', caFile: CA, proofs, why: '' }, { ...host, sshd })
}

const fails = async () => {
  throw new Error('sshd -T failed: no')
}

test('an sshd that uses the file', async () => {
  await prove({ effective: async () => new Map([['trustedusercakeys', [CA]]]) })
})

test('one that uses none', async () => {
  await expect(prove({})).rejects.toThrow('for anybody from anywhere sshd uses TrustedUserCAKeys')
})

test('one that could not start says why in the words of its own check', async () => {
  const test = async () => ({ ok: false as const, message: 'line 3: Bad option' })
  await expect(prove({ effective: fails, test })).rejects.toThrow(
    'sshd refuses the new configuration: line 3: Bad option',
  )
})

test('one that would start, and every connection die', async () => {
  await expect(prove({ effective: fails })).rejects.toThrow('sshd -T failed: no')
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openProcessTable } from '../../../agent/provisioner/processes/process-table.ts'

test.each(['', 'systemd', 'unified'])('the processes of a service, under "%s"', hierarchy => {
  const cgroups = mkdtempSync(join(tmpdir(), 'cgroups-'))
  const folder = join(cgroups, hierarchy, 'system.slice/ssh.service')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'cgroup.procs'), '39\n40\n')
  const { inService } = openProcessTable('/proc', cgroups)
  expect(inService('ssh.service')).toEqual([39, 40])
  expect(inService('sshd.service')).toEqual([])
  writeFileSync(join(folder, 'cgroup.procs'), '')
  expect(inService('ssh.service')).toEqual([])
  rmSync(cgroups, { recursive: true })
})

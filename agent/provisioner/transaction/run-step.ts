import { dirname } from 'node:path'
import type { Step } from '../../core/host/step.ts'
import type { Proof } from '../../core/host/trust-proofs.ts'
import { failedAt } from '../../core/outcome/failures.ts'
import { showBytes } from '../../core/sshd-config/bytes.ts'
import { trustedUserCaKeys } from '../../core/sshd-config/effective-config.ts'
import { removeFile, setAccess, syncFolder, writeFileAtomically } from '../files/atomic-write.ts'
import { errorCode } from '../files/file-system.ts'
import type { Host } from '../host/host.ts'

/** Does one step on the host, or throws; what it has brought about already is done once more. */
export async function runStep(step: Step, host: Host): Promise<void> {
  try {
    await doStep(step, host)
  } catch (cause) {
    throw failedAt(step, cause)
  }
}

async function doStep(step: Step, host: Host): Promise<void> {
  switch (step.do) {
    case 'make-folder':
      return makeFolder(host, step.path, step.mode)
    case 'write-file':
      return writeFileAtomically(host.fs, host.at(step.path), step, host.relabel)
    case 'remove-file':
      return removeFile(host.fs, host.at(step.path))
    case 'remove-folder':
      return removeFolder(host, step.path)
    case 'check-config':
      return checkConfig(host)
    case 'prove-trust':
      return proveTrust(host, step)
    case 'restart-sshd':
      await host.service.restart(step.reason)
  }
}

function makeFolder({ fs, at, owner }: Host, path: string, mode: number): void {
  try {
    fs.mkdirSync(at(path), mode)
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return
    throw error
  }
  const fd = fs.openSync(at(path), 'r')
  try {
    setAccess(fs, fd, { ...owner, mode })
  } finally {
    fs.closeSync(fd)
  }
  syncFolder(fs, dirname(at(path)))
}

// Somebody else's files in it are a reason to leave the folder, not to fail.
function removeFolder({ fs, at }: Host, path: string): void {
  try {
    fs.rmdirSync(at(path))
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) return
    throw error
  }
  syncFolder(fs, dirname(at(path)))
}

async function checkConfig({ sshd }: Host): Promise<void> {
  const test = await sshd?.test()
  if (test !== undefined && !test.ok) {
    throw new Error(`sshd refuses the new configuration: ${test.message}`)
  }
}

// `sshd -t` never opens the CA file, and passes where another line wins over ours: `sshd -T` is asked
// beside it, and where both fail the former says better why.
async function proveTrust(host: Host, step: ProveTrust): Promise<void> {
  const proved = Promise.all(step.proofs.map(proof => prove(host, step, proof)))
  proved.catch(() => {}) // awaited below, where `sshd -t` finds nothing
  await checkConfig(host)
  await proved
}

type ProveTrust = Extract<Step, { do: 'prove-trust' }>

async function prove(
  { sshd }: Host,
  { caFile, revokedKeys }: ProveTrust,
  proof: Proof,
): Promise<void> {
  if (sshd === undefined) return
  const effective = await sshd.effective(proof)
  const whom = `for ${proof.user ?? 'anybody'} from ${proof.addr ?? 'anywhere'} sshd uses`
  const [list = 'none'] = effective.get('revokedkeys') ?? []
  if (revokedKeys?.includes(list) === false) {
    throw new Error(`${whom} RevokedKeys ${showBytes(list)}`)
  }
  const used = trustedUserCaKeys(effective)
  if ((used === caFile) === proof.trusted) return
  throw new Error(`${whom} TrustedUserCAKeys ${showBytes(used ?? 'none')}`)
}

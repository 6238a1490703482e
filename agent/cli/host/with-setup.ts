import { SetupError } from '../../provisioner/installation/setup-error.ts'

/** Whether the services could be told; where not, it has been said why. */
export async function withSetup(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`pomerium-host-agent: ${error.message}\n`)
    return false
  }
}

import { randomBytes } from 'node:crypto'
import { messageOf } from '../../core/outcome/failures.ts'
import { writeNewFile } from '../../publisher/new-file.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/** Of the 24 to 64 that Standard Webhooks 1.0.0 allows, as many as its HMAC-SHA256 has. */
const SECRET_BYTES = 32

/** Makes a webhook secret, in a file that its owner alone can read. It is not shown. */
export async function newSecret({ args }: Invocation): Promise<number> {
  const { positionals } = parseFlags({ args, allowPositionals: true, options: {} })
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new UsageError('bundle new-secret wants one FILE')
  try {
    writeNewFile(file, `whsec_${randomBytes(SECRET_BYTES).toString('base64')}\n`, 0o600)
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
    const problem = isThere
      ? `${file} is there already, and is not overwritten`
      : `${file}: ${messageOf(error)}`
    throw new UsageError(problem, { cause: error })
  }
  process.stderr.write(
    `${file} is the secret of the webhook. Hosts have it as webhook.secret_file\n` +
      '(of install.sh: --webhook-secret-file); bundle notify, status and rotate as\n' +
      '--secret-file\n',
  )
  return 0
}

// Fetches on a booted host as `apply` does, with another program in place of the child: its arguments
// are the source's URL and the child's argv in JSON.

import { fetchUnprivileged } from '../../../agent/provisioner/fetch/fetch-unprivileged.ts'

const [url = '', argv = '[]'] = process.argv.slice(2)
const fetched = await fetchUnprivileged(
  { url: new URL(url), pollIntervalSeconds: 300, longPoll: false },
  { at: path => path, isRoot: true },
  {
    argv: JSON.parse(argv),
    environment: process.env,
    onStderr: line => process.stderr.write(`fetch: ${line}\n`),
  },
)
const text = fetched.kind === 'bundle' ? Buffer.from(fetched.bytes).toString() : fetched.message
process.stdout.write(`${JSON.stringify({ kind: fetched.kind, text })}\n`)

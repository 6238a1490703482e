import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const AGENT = join(import.meta.dirname, '../../../agent')
// Told to stop while one of its commands runs, as init tells the provisioner: here by that command.
const PROGRAM = `
import { stopSignal } from '${AGENT}/cli/terminal/stop-signal.ts'
import { runCommand } from '${AGENT}/provisioner/processes/run-command.ts'
const signal = stopSignal()
const { code } = await runCommand(['sh', '-c', \`kill -\${process.argv[1]} $PPID; sleep 0.2\`])
process.stdout.write(JSON.stringify({ code, aborted: signal.aborted }))
`

test.each(['TERM', 'INT'])('SIG%s cuts off no command that runs', async name => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, name], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let told = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    told += text
  })
  expect(await once(child, 'close')).toEqual([0, null])
  expect(JSON.parse(told)).toEqual({ code: 0, aborted: true })
})

import type { Config } from '../core/config/config.ts'
import { trustedUserCaKeys } from '../core/effective-config.ts'
import { type TrustedKey, trustedKeys } from '../core/outcome.ts'
import type { Status } from '../core/status.ts'
import type { Host } from '../provisioner/host.ts'
import { keysOnHost } from '../provisioner/keys-on-host.ts'
import { observe } from '../provisioner/observe.ts'
import { readStatus } from '../provisioner/status-file.ts'
import type { Invocation } from './invocation.ts'
import { onHost } from './on-host.ts'
import { keyLines, messageLines } from './print-outcome.ts'
import { columns, print, printJson } from './screen.ts'

/** What this host trusts and whether sshd uses it; `undefined` is what could not be seen. */
interface Report {
  trusted: TrustedKey[] | undefined
  effective: boolean | undefined
  last: Status | undefined
}

/** Says what this host trusts; changes nothing, asks nobody outside. */
export async function status(invocation: Invocation): Promise<number> {
  const { flags, config, host } = await onHost(invocation, { configIfReadable: true })
  const report = await look(host, config)
  if (flags.json) printJson(report)
  else printReport(report)
  return 0
}

async function look(host: Host, config: Config): Promise<Report> {
  const { acceptFrom } = config.sshd
  const { sshd, files } = await observe(host, { acceptFrom, restartDue: false })
  const caFile = files.get(host.layout.caFile.path)
  const last = readStatus(host)
  return {
    // Without root the file can't be read; what the last cycle said of it can.
    trusted: caFile?.kind === 'unseen' ? last?.outcome.trusted : trustedKeys(keysOnHost(host)),
    effective:
      sshd.kind === 'readable'
        ? trustedUserCaKeys(sshd.effective) === host.layout.caFile.path
        : undefined,
    last,
  }
}

function printReport({ trusted, effective, last }: Report): void {
  if (trusted === undefined) print('trusted    not to be seen without root')
  else if (trusted.length === 0) print('trusted    no CA key; run: sudo pomerium-host-agent apply')
  else {
    for (const [index, line] of keyLines(trusted).entries()) {
      print(`${index === 0 ? 'trusted' : ''.padEnd(7)}    ${line}`)
    }
  }
  const rows = [
    ...(trusted?.length === 0
      ? []
      : [['in sshd', EFFECTIVE[String(effective) as keyof typeof EFFECTIVE]]]),
    ['last', last === undefined ? 'no apply since boot' : `${last.outcome.outcome} at ${last.at}`],
  ]
  for (const line of columns(rows.map(([name = '', value = '']) => [name.padEnd(9), value])))
    print(line)
  if (last !== undefined && last.outcome.code !== undefined) {
    print('')
    for (const line of messageLines(last.outcome.outcome, last.outcome.message, false)) print(line)
  }
}

const EFFECTIVE = {
  true: 'yes: sshd uses these keys',
  false: 'NO: sshd does not use these keys; run: sudo pomerium-host-agent plan',
  undefined: 'not to be seen without root',
}

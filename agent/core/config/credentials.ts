import { posix } from 'node:path'
import type { Config } from './config.ts'
import type { SettingName } from './settings.ts'

/** A file that root keeps and the daemon is given a copy of. */
interface Credential {
  setting: SettingName
  /** What it takes to ask the source: the poll's too. The webhook's are not the poll's to have. */
  forSource: boolean
  path(config: Pick<Config, 'source' | 'webhook'>): string | undefined
}

/**
 * The files that the daemon reads and that need not be readable for its user. They are handed over in
 * one folder under their base names (systemd.exec(5), "Credentials"), so no two may have the same one.
 */
export const CREDENTIALS: readonly Credential[] = [
  { setting: 'source.token_file', forSource: true, path: ({ source }) => source.tokenFile },
  { setting: 'source.ca_file', forSource: true, path: ({ source }) => source.caFile },
  { setting: 'webhook.secret_file', forSource: false, path: ({ webhook }) => webhook.secretFile },
  {
    setting: 'webhook.tls_cert_file',
    forSource: false,
    path: ({ webhook }) => webhook.tlsCertFile,
  },
  { setting: 'webhook.tls_key_file', forSource: false, path: ({ webhook }) => webhook.tlsKeyFile },
]

/** Each setting that names another file than one before it, under the same base name. */
export function clashingCredentials(config: Config): { setting: SettingName; with: SettingName }[] {
  const holders = new Map<string, { setting: SettingName; path: string }>()
  return CREDENTIALS.flatMap(({ setting, path: pathOf }) => {
    const path = pathOf(config)
    if (path === undefined) return []
    const base = posix.basename(path)
    const holder = holders.get(base) ?? { setting, path }
    holders.set(base, holder)
    return holder.path === path ? [] : [{ setting, with: holder.setting }]
  })
}

import { posix } from 'node:path'
import { type Config, valueIn } from './config.ts'
import { SETTING_NAMES, type SettingName, settingOf } from './settings.ts'

/**
 * The settings whose files the daemon reads and that need not be readable for its user. They are handed over in
 * one folder under their base names (systemd.exec(5), "Credentials"), so no two may have the same one.
 */
export const CREDENTIALS: readonly SettingName[] = SETTING_NAMES.filter(
  name => settingOf(name).credential !== undefined,
)

/** The path of such a file. */
export function credentialIn(config: Partial<Config>, setting: SettingName): string | undefined {
  return valueIn(config, setting) as string | undefined
}

/** Each setting that names another file than one before it, under the same base name. */
export function clashingCredentials(config: Config): { setting: SettingName; with: SettingName }[] {
  const holders = new Map<string, { setting: SettingName; path: string }>()
  return CREDENTIALS.flatMap(setting => {
    const path = credentialIn(config, setting)
    if (path === undefined) return []
    const base = posix.basename(path)
    const holder = holders.get(base) ?? { setting, path }
    holders.set(base, holder)
    return holder.path === path ? [] : [{ setting, with: holder.setting }]
  })
}

import { keyOf, type SETTINGS, type SettingName, type SettingValue } from './settings.ts'

type Row<N extends SettingName> = (typeof SETTINGS)[N]
type SectionName = SettingName extends `${infer S}.${string}` ? S : never
type CamelCase<T extends string> = T extends `${infer A}_${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : T
/** The key of a setting in the section S; `never` where it is of another, or where D says otherwise. */
type Key<N extends SettingName, S extends string, D extends boolean> = N extends `${S}.${infer R}`
  ? (Row<N> extends { default: unknown } ? true : false) extends D
    ? Row<N> extends { key: infer K extends string }
      ? K
      : CamelCase<R>
    : never
  : never

/**
 * The whole configuration, defaults filled in; its shape is that of the rows of `SETTINGS`. Paths are absolute
 * and not yet under any `--root`.
 */
export type Config = {
  [S in SectionName]: { [N in SettingName as Key<N, S, true>]: SettingValue<N> } & {
    [N in SettingName as Key<N, S, false>]?: SettingValue<N>
  }
}

/** The value of a setting, as `Config` holds it. */
export function valueIn<N extends SettingName>(
  config: Partial<Config>,
  name: N,
): SettingValue<N> | undefined {
  const [section, key] = keyOf(name)
  const values = config[section as SectionName] as Record<string, unknown> | undefined
  return values?.[key] as SettingValue<N> | undefined
}

export const DEFAULT_CONFIG_FILE = '/etc/pomerium/host-agent.yaml'

/** Where a setting was given: the file and its line, or the environment variable. */
export interface Place {
  where: string
  line?: number
}

/** One thing wrong with the configuration. */
export interface ConfigError extends Place {
  message: string
}

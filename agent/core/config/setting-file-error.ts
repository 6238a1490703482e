import type { SettingName } from './settings.ts'

/**
 * A file that a setting names can't be used. Nothing of what it holds is in it, nor in its `cause`; `problem`
 * is for whoever calls the file by another name.
 */
export class SettingFileError<C extends string = string> extends Error {
  override name = 'SettingFileError'
  readonly code: C
  readonly setting: SettingName
  readonly problem: string
  readonly line?: number

  constructor(setting: SettingName, code: C, problem: string, line?: number) {
    super(`${setting}${line === undefined ? '' : `, line ${line}`}: ${problem}`)
    this.code = code
    this.setting = setting
    this.problem = problem
    if (line !== undefined) this.line = line
  }
}

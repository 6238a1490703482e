import { AgentError } from '../basics/agent-error.ts'
import type { SettingName } from './settings.ts'

/**
 * A file that a setting names can't be used. Nothing of what it holds is in it, nor in its `cause`; `problem`
 * is for whoever calls the file by another name.
 */
export class SettingFileError<C extends string = string> extends AgentError<C> {
  readonly setting: SettingName
  readonly problem: string
  readonly line?: number

  constructor(setting: SettingName, code: C, problem: string, line?: number) {
    super(code, `${setting}${line === undefined ? '' : `, line ${line}`}: ${problem}`)
    this.setting = setting
    this.problem = problem
    if (line !== undefined) this.line = line
  }
}

import fs from 'node:fs'
import { AgentError } from '../../core/basics/agent-error.ts'

/** The file-system calls that the provisioner makes, and no others; tests sabotage them one by one. */
export type FileSystem = Pick<
  typeof fs,
  | 'accessSync'
  | 'closeSync'
  | 'fchmodSync'
  | 'fchownSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readdirSync'
  | 'readFileSync'
  | 'readlinkSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmdirSync'
  | 'unlinkSync'
  | 'writeSync'
>

export const realFileSystem: FileSystem = fs

/** The `code` of a failed system call (`ENOENT`, …); none of an error of our own. */
export function errorCode(error: unknown): string | undefined {
  const isOurs = error instanceof AgentError
  return error instanceof Error && 'code' in error && !isOurs ? String(error.code) : undefined
}

/** Whether something stands at a path, a link that leads nowhere included. */
export function isThere({ lstatSync }: Pick<FileSystem, 'lstatSync'>, path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}

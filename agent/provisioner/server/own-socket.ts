import { chmodSync, chownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { Place } from '../../core/config/layout.ts'
import { errorCode } from '../files/file-system.ts'

/** Who is let in, and whose the daemon's folder is. */
export interface AgentUser {
  uid: number
  gid: number
}

/**
 * Makes ready what systemd would have: the socket's folder, and a place without a stale socket in it.
 * Returns why that can't be; `undefined` where it is done.
 */
export async function clearPlace(socket: Place, folder: Place): Promise<string | undefined> {
  makeFolder(folder)
  const { uid, mode } = lstatSync(dirname(socket.path))
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    return `${folder.path} can be written by others than root; remove it, it is made anew`
  }
  switch (await knock(socket.path)) {
    case 'nothing':
      return undefined
    case 'answered':
      return `somebody listens on ${socket.path} already: systemd, or another provisioner`
    case 'refused':
      // Left by one that was killed: a socket has no life of its own (unix(7)).
      unlinkSync(socket.path)
      return undefined
    case 'no-socket':
      return `${socket.path} is not a socket; remove it`
  }
}

/** Lets the agent's user in, behind whom the socket was made: the mode is what systemd would give it. */
export function admitAgent({ path, mode }: Place, { gid }: AgentUser): void {
  chownSync(path, process.getuid?.() ?? 0, gid)
  chmodSync(path, mode)
}

/** The daemon's own folder, `StateDirectory=` of its unit; it can't make it itself. */
export function makeDaemonFolder(folder: Place, { uid, gid }: AgentUser): void {
  makeFolder(folder)
  chownSync(folder.path, uid, gid)
}

function makeFolder({ path, mode }: Place): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !lstatSync(path).isDirectory()) throw error
    return
  }
  chmodSync(path, mode)
}

function knock(path: string): Promise<'nothing' | 'answered' | 'refused' | 'no-socket'> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('answered')
    })
    socket.once('error', error => {
      const code = errorCode(error)
      if (code === 'ENOENT') resolve('nothing')
      else if (code !== 'ECONNREFUSED') reject(error)
      // connect(2) says the same of a socket that nobody listens on and of a file that is none.
      else resolve(lstatSync(path).isSocket() ? 'refused' : 'no-socket')
    })
  })
}

// Logins to a booted host, with certificates of Pomerium's shape.

import type { Ca, Certificate } from '../../sshd/ssh-ca.ts'
import {
  type Destination,
  type LoginResult,
  openSshSession,
  type Session,
  sshLogin,
} from '../../sshd/ssh-client.ts'
import type { Host } from './host.ts'

export interface LoginOptions {
  /** Whose certificate to come with: a new one of Pomerium's shape for `user`… */
  ca?: Ca
  /** …or this one. */
  certificate?: Certificate
  /** `alice`, whom every host has, if not given. */
  user?: string
  /**
   * The address to come from, which must be on the host's loopback; see `addAddress`. Another one
   * of 127.0.0.0/8 each time if not given.
   */
  from?: string
  port?: number
}

/** Logs in with the machine's ssh client over the host's loopback, and runs a command. */
export async function login(
  host: Host,
  options: LoginOptions & { command?: string },
): Promise<LoginResult> {
  return sshLogin(await destination(host, options), options.command)
}

/** Logs in and stays. Throws if the login is refused. */
export async function openSession(host: Host, options: LoginOptions): Promise<Session> {
  return openSshSession(await destination(host, options))
}

/** Gives the host a further address, so that a login can come from it. */
export async function addAddress(host: Host, address: string): Promise<void> {
  await host.exec(['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'])
}

async function destination(host: Host, options: LoginOptions): Promise<Destination> {
  const { ca, certificate, user = 'alice', from, port = 22 } = options
  const credentials = certificate ?? (await ca?.issue({ principals: [user] }))
  if (credentials === undefined) throw new Error('a login needs a CA or a certificate')
  // To an address of the same kind as the one it comes from: loopback answers on all of them.
  const address = from ?? '127.0.0.1'
  const prefix = ['nsenter', '-t', String(host.pid), '--net']
  return { user, host: address, port, credentials, from, prefix }
}

// What servers that Debian does not have would answer, from what a recipe has left for them.

import { parse } from 'yaml'
import type { HostFiles } from '../harness/host-files.ts'
import type { Reply } from '../programs/serve-replies.ts'

export interface StandIn {
  port: number
  /** Asked after each step of the recipe; `rotated` when it has come to its rotation. */
  replies(host: HostFiles, rotated: boolean): Promise<Reply[]>
}

const TOKEN = 'recipe-token'
const TOKEN_FILE = '/etc/pomerium/credentials/source-token'

const json = (path: string, document: unknown, token?: string): Reply => ({
  path,
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(document),
  ...(token === undefined ? {} : { token }),
})

interface Route {
  from: string
  allow_public_unauthenticated_access: boolean
  set_response_headers: Record<string, string>
  response: { status: number; body: string }
}

const HOME = '/root'

/** By the recipe's name; the others bring a server of their own. */
export const STAND_INS: Record<string, StandIn> = {
  // Envoy refuses a configuration whose body is longer: max_direct_response_body_size_bytes.
  'pomerium-direct-response': {
    port: 443,
    async replies(host) {
      const file = `${HOME}/pomerium-route.yaml`
      if (!host.exists(file)) return []
      const [route] = parse(await host.read(file)) as Route[]
      if (!route?.allow_public_unauthenticated_access) throw new Error('the route is not public')
      const { status, body } = route.response
      if (Buffer.byteLength(body) > 4096) throw new Error('Envoy takes 4096 bytes')
      return [
        { path: new URL(route.from).pathname, status, body, headers: route.set_response_headers },
      ]
    },
  },
  'kubernetes-configmap': {
    port: 6443,
    async replies(host) {
      const file = `${HOME}/configmap.json`
      if (!host.exists(file)) return []
      const object = JSON.parse(await host.read(file))
      const { name, namespace } = object.metadata
      return [json(`/api/v1/namespaces/${namespace}/configmaps/${name}`, object, TOKEN)]
    },
  },
  vault: {
    port: 8200,
    async replies(host) {
      const file = `${HOME}/bundle`
      const bundle = host.exists(file) ? await host.read(file) : ''
      const secret = { data: { bundle }, metadata: { version: 1, destroyed: false } }
      return [
        json(
          '/v1/secret/data/ssh/pomerium-user-ca',
          { lease_id: '', renewable: false, lease_duration: 0, data: secret, warnings: null },
          TOKEN,
        ),
        {
          path: '/v1/ssh/public_key',
          status: 200,
          headers: { 'content-type': 'text/plain' },
          body: await host.read(`${HOME}/current.pub`),
        },
      ]
    },
  },
  // SSHPublicKey.MarshalJSON: the wire blob in base64, which is a .pub line's second word.
  'step-ca': {
    port: 443,
    async replies(host, rotated) {
      const blob = async (name: string) =>
        (await host.read(`${HOME}/${name}.pub`)).split(' ')[1] ?? ''
      const first = [await blob('current')]
      const userKey = rotated ? [...first, await blob('next')] : first
      return [json('/ssh/roots', { userKey, hostKey: [await blob('next')] })]
    },
  },
}

/** What a recipe that brings no server finds in place before its first step. */
export async function layCredentials(host: HostFiles): Promise<void> {
  await host.write(TOKEN_FILE, `${TOKEN}\n`, { mode: 0o600 })
}

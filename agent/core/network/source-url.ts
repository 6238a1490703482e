import { parseIpAddress } from './ip-address.ts'

const MAX_SHOWN = 200

/** Reads `source.url`. A problem never quotes it: a presigned URL is a password. */
export function parseSourceUrl(text: string): { value: URL } | { problem: string } {
  const url = URL.parse(text)
  if (!url) return { problem: 'must be a whole URL, as https://host/path or file:///path' }
  if (!['https:', 'http:', 'file:'].includes(url.protocol)) {
    return { problem: 'must be https, file, or http on loopback' }
  }
  if (url.username || url.password) {
    return { problem: 'holds a user name or password; name a token in source.token_file instead' }
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    return {
      problem: 'is plain http, where anybody on the way could swap the keys; use https',
    }
  }
  if (url.protocol === 'file:' && url.hostname) {
    return { problem: 'names a host in a file URL; write three slashes, as file:///path' }
  }
  return { value: url }
}

/** Whether the URL's host is this host. The parser has already made `127.1` of every spelling `127.0.0.1`. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || parseIpAddress(hostname)?.[0] === 127
}

/** Origin and path: no query, fragment or userinfo, since any of them may be a secret. */
export function showUrl(url: URL): string {
  const shown = `${url.protocol}//${url.host}${url.pathname}`
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown
}

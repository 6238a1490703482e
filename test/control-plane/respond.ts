import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Behaviour } from './behaviour.ts'

const SIGN_IN_PAGE = '\n<!DOCTYPE html>\n<html><body>Sign in to SIGN-IN-PAGE-BODY</body></html>\n'

export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  behaviour: Behaviour,
  bundle: string | Buffer,
): Promise<void> {
  switch (behaviour.mode) {
    case 'normal':
    case 'hasty':
      return sendBundle(request, response, bundle)
    case 'status':
      return send(response, behaviour.status, behaviour.headers)
    case 'redirect':
      return send(response, behaviour.status ?? 302, { location: behaviour.location })
    case 'html':
      return send(
        response,
        200,
        { 'content-type': behaviour.contentType ?? 'text/html; charset=utf-8' },
        SIGN_IN_PAGE,
      )
    case 'endless':
      return sendEndlessly(response, bundle)
    case 'drip':
      return drip(response, bundle, behaviour.everyMs)
    case 'slow-headers':
      await sleep(behaviour.afterMs, undefined, { ref: false })
      return sendBundle(request, response, bundle)
    case 'hang-up':
      return hangUp(response, bundle, behaviour)
    case 'lying-length':
      // Not through the response, which would refuse to lie.
      return sendRaw(
        response,
        `HTTP/1.1 200 OK\r\ncontent-length: ${behaviour.length}\r\n\r\n${bundle}`,
      )
    case 'content-type':
      return sendBundle(request, response, bundle, behaviour.contentType)
    case 'bearer':
      return request.headers.authorization === `Bearer ${behaviour.token}`
        ? sendBundle(request, response, bundle)
        : send(response, 401, { 'www-authenticate': 'Bearer' })
    case 'retry-after':
      return send(response, behaviour.status ?? 503, { 'retry-after': behaviour.value })
    case 'until-close':
      return sendRaw(response, `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${bundle}`)
    case 'encoded':
      return send(response, 200, { 'content-encoding': behaviour.encoding }, bundle)
    case 'raw':
      return sendRaw(response, behaviour.text)
    case 'silent':
      return
  }
}

function sendBundle(
  request: IncomingMessage,
  response: ServerResponse,
  bundle: string | Buffer,
  contentType = 'text/plain; charset=utf-8',
): void {
  const etag = etagOf(bundle)
  if (request.headers['if-none-match'] === etag) send(response, 304, { etag })
  else send(response, 200, { etag, 'content-type': contentType }, bundle)
}

/** The entity tag of a bundle. */
export function etagOf(bundle: string | Buffer): string {
  return `"${createHash('sha256').update(bundle).digest('base64url').slice(0, 16)}"`
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: string | Buffer = '',
): void {
  const bodiless = status === 204 || status === 304
  const length = bodiless ? {} : { 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, { ...length, ...headers }).end(bodiless ? undefined : body)
}

function sendEndlessly(response: ServerResponse, bundle: string | Buffer): void {
  response.writeHead(200, { 'content-type': 'text/plain' })
  const fill = () => {
    while (!response.destroyed && response.write(`${bundle}\n`));
  }
  response.on('drain', fill)
  fill()
}

async function drip(
  response: ServerResponse,
  bundle: string | Buffer,
  everyMs: number,
): Promise<void> {
  response.writeHead(200, { 'content-length': Buffer.byteLength(bundle) })
  for (const byte of Buffer.from(bundle as string)) {
    if (response.destroyed) return
    response.write(Buffer.of(byte))
    await sleep(everyMs, undefined, { ref: false })
  }
  response.end()
}

function hangUp(
  response: ServerResponse,
  bundle: string | Buffer,
  { afterBytes, framing = 'length' }: Extract<Behaviour, { mode: 'hang-up' }>,
): void {
  if (afterBytes === undefined) {
    response.destroy()
    return
  }
  const length = framing === 'length' ? { 'content-length': Buffer.byteLength(bundle) } : {}
  response.writeHead(200, { 'content-type': 'text/plain', ...length })
  response.write(Buffer.from(bundle as string).subarray(0, afterBytes), () =>
    response.socket?.end(),
  )
}

function sendRaw(response: ServerResponse, text: string): void {
  response.socket?.end(text)
}

import { type Refused, refused } from './failure.ts'

const HTML_TYPE = /^\s*(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i
const HTML_START = /^\uFEFF?\s*(?:<!doctype\s+html|<html[\s>])/i

export const isHtmlType = (contentType: string | undefined) => HTML_TYPE.test(contentType ?? '')

/** Sign-in pages come as 200, and not always as text/html. */
export function startsAsHtml(bytes: Uint8Array): boolean {
  return HTML_START.test(
    new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, 1024)),
  )
}

export function refuseHtml(shown: string): Refused {
  return refused(
    'html',
    `${shown} answered with a web page (a sign-in page?), not a CA bundle`,
    'Make the route public or give a source.token_file',
  )
}

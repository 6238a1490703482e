import { showUrl } from '../../core/network/source-url.ts'
import { type Unavailable, unavailable } from './failure.ts'

/** What a status other than 200 and an asked-for 304 means; RFC 9110 §15. */
export function explainStatus(
  status: number,
  url: URL,
  sentToken: boolean,
  location: string | undefined,
): Unavailable {
  const what = `${showUrl(url)} answered ${status}`
  if (status === 401 || status === 403) {
    return sentToken
      ? unavailable(
          'unauthorized',
          `${what} to the token that was sent`,
          'Put a token that may read the bundle into source.token_file',
        )
      : unavailable('unauthorized', what, 'Give a source.token_file or make the route public')
  }
  if (status === 404 || status === 410) {
    return unavailable('not-found', what, 'Check the path of source.url')
  }
  if (status === 429 || status >= 500) {
    return unavailable('server-error', what, 'Look at the logs of the source; this host asks again')
  }
  // 300 and 304 point nowhere.
  if (status > 300 && status < 400 && status !== 304) {
    const target = location === undefined ? null : URL.parse(location, url.href)
    const where = target ? ` with a redirect to ${showUrl(target)}` : ' with a redirect'
    return unavailable(
      'redirect',
      `${what}${where}, and redirects are not followed`,
      'Set source.url to the final URL; if that is a sign-in page, make the route public or give a source.token_file',
    )
  }
  return unavailable(
    'unexpected-status',
    `${what}, not 200`,
    'Check that source.url serves the bundle itself',
  )
}

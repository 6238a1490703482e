// Old names that sshd still takes for another keyword (servconf.c's table of keywords).
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'],
  ['dsaauthentication', 'pubkeyauthentication'],
  ['hostbasedacceptedkeytypes', 'hostbasedacceptedalgorithms'],
  ['hostdsakey', 'hostkey'],
  ['keepalive', 'tcpkeepalive'],
  ['pubkeyacceptedkeytypes', 'pubkeyacceptedalgorithms'],
  ['skeyauthentication', 'kbdinteractiveauthentication'],
])

/** Whether two names are one setting, so that the first of either wins. */
export function sameKeyword(a: string, b: string): boolean {
  return canonical(a) === canonical(b)
}

function canonical(keyword: string): string {
  const name = keyword.toLowerCase()
  return ALIASES.get(name) ?? name
}

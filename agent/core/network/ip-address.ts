/** The bytes of an IP address, 4 or 16; `undefined` where the text is none. */
export function parseIpAddress(text: string): number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

// Four decimal numbers (RFC 6943 §3.1.1, strict form): others read `010` as eight.
function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.')
  const strict = parts.length === 4 && parts.every(part => /^(0|[1-9]\d{0,2})$/.test(part))
  const bytes = parts.map(Number)
  return strict && bytes.every(byte => byte <= 255) ? bytes : undefined
}

// The platform's URL parser reads RFC 4291 addresses and writes them compressed, in hex groups.
function parseIpv6(text: string): number[] | undefined {
  const url = URL.parse(`http://[${text}]`)
  if (url === null || !/^[0-9A-Fa-f:.]+$/.test(text)) return undefined
  const [head = '', tail = ''] = url.hostname.slice(1, -1).split('::')
  const groups = (side: string) => side.split(':').filter(group => group !== '')
  const front = groups(head)
  const back = groups(tail)
  const gap = new Array<string>(8 - front.length - back.length).fill('0')
  return [...front, ...gap, ...back]
    .map(group => Number.parseInt(group, 16))
    .flatMap(group => [group >> 8, group & 0xff])
}

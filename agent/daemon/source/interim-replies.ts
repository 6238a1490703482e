import type { Client } from 'undici'
import symbols from 'undici/lib/core/symbols.js'
import OneConnection from 'undici/lib/dispatcher/client.js'

interface Parser {
  onHeadersComplete(status: number, ...rest: unknown[]): number
}

/**
 * One connection of undici's that passes over every interim reply. A client must be able to do so even where it
 * expects none (RFC 9110 §15.2); undici does with 102 and 103, and takes a 100 for the end of the connection.
 */
export function openClient(origin: string | URL, options: object): Client {
  const client = new OneConnection(origin, options)
  client.on('connect', () => passOverContinue(parserOf(client)))
  return client
}

interface Connected {
  [symbols.kSocket]: { [symbols.kParser]: Parser }
}

function parserOf(client: Client): Parser {
  return (client as unknown as Connected)[symbols.kSocket][symbols.kParser]
}

// By the number alone undici tells it from the others.
function passOverContinue(parser: Parser): void {
  const { onHeadersComplete } = parser
  parser.onHeadersComplete = (status, ...rest) =>
    onHeadersComplete.call(parser, status === 100 ? 102 : status, ...rest)
}

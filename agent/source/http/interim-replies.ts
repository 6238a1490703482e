import type { Socket } from 'node:net'
import type { Client } from 'undici'
import symbols from 'undici/lib/core/symbols.js'
import OneConnection from 'undici/lib/dispatcher/client.js'
import { SWITCHED } from './connection-failure.ts'

interface Parser {
  socket: Socket
  onHeadersComplete(status: number, ...rest: unknown[]): number
}

/**
 * One connection of undici's that passes over every interim reply. A client must be able to do so even where it
 * expects none (RFC 9110 §15.2); undici does with 102 and 103, and takes a 100 for the end of the connection.
 */
export function openClient(origin: string | URL, options: object): Client {
  const client = new OneConnection(origin, options)
  client.on('connect', () => mindInterim(parserOf(client)))
  return client
}

interface Connected {
  [symbols.kSocket]: { [symbols.kParser]: Parser }
}

function parserOf(client: Client): Parser {
  return (client as unknown as Connected)[symbols.kSocket][symbols.kParser]
}

// By the number alone undici tells 100 from the others. A 101 that says nothing of an upgrade ends in an
// assertion of its own.
function mindInterim(parser: Parser): void {
  const { onHeadersComplete } = parser
  parser.onHeadersComplete = (status, ...rest) => {
    if (status !== 101)
      return onHeadersComplete.call(parser, status === 100 ? 102 : status, ...rest)
    parser.socket.destroy(Object.assign(new Error('101 unasked'), { code: SWITCHED }))
    return -1
  }
}

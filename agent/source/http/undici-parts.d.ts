// undici's front door loads its caches, mocks, fetch, WebSocket and cookie code. The parts that we
// use cost half the time and half the memory, but carry no types of their own.

declare module 'undici/lib/dispatcher/agent.js' {
  import type { Agent } from 'undici'

  const agent: typeof Agent
  export = agent
}

declare module 'undici/lib/dispatcher/env-http-proxy-agent.js' {
  import type { EnvHttpProxyAgent } from 'undici'

  const agent: typeof EnvHttpProxyAgent
  export = agent
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici'

  function request(
    this: Dispatcher,
    options: Dispatcher.RequestOptions,
  ): Promise<Dispatcher.ResponseData>
  export = request
}

declare module 'undici/lib/dispatcher/dispatcher.js' {
  import type { Dispatcher } from 'undici'

  const dispatcher: typeof Dispatcher
  export = dispatcher
}

declare module 'undici/lib/api/api-connect.js' {
  import type { Dispatcher } from 'undici'

  const connect: Dispatcher['connect']
  export = connect
}

declare module 'undici/lib/dispatcher/client.js' {
  import type { Client } from 'undici'

  const client: typeof Client
  export = client
}

declare module 'undici/lib/core/symbols.js' {
  const symbols: { readonly kSocket: unique symbol; readonly kParser: unique symbol }
  export = symbols
}

declare module 'undici/lib/core/errors.js' {
  export class HTTPParserError extends Error {
    /** What could not be read. */
    readonly data?: string
  }
}

/** A proxy as the environment names it. Its URL may hold a password: never show it. */
export interface NamedProxy {
  named: string
  /** Hosts to reach directly, in the syntax of `NO_PROXY`. */
  except: string
}

/** The proxy for https, lower case first as in curl(1); `undefined` where none is named. */
export function namedProxy(
  environment: Readonly<Record<string, string | undefined>>,
): NamedProxy | undefined {
  const named = environment.https_proxy || environment.HTTPS_PROXY
  if (!named) return undefined
  return { named, except: environment.no_proxy ?? environment.NO_PROXY ?? '' }
}

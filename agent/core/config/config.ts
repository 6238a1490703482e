/** The whole configuration, defaults filled in. Paths are absolute and not yet under any `--root`. */
export interface Config {
  source: {
    url?: URL
    tokenFile?: string
    caFile?: string
    jsonPointer?: string
    pollIntervalSeconds: number
    longPoll: boolean
  }
  trust: {
    signersFile?: string
    fingerprints?: readonly string[]
  }
  sshd: {
    caFile: string
    dropIn: string
    conflict: 'refuse' | 'adopt'
    restart: 'rotation' | 'config-change'
    acceptFrom?: readonly string[]
    /** Those of `acceptFrom` where nothing else is said. */
    exemptFromPenalties?: readonly string[]
    restartCommand?: readonly string[]
  }
  webhook: { listen?: string; secretFile?: string; tlsCertFile?: string; tlsKeyFile?: string }
  metrics: { textfile?: string }
}

export const DEFAULT_CONFIG_FILE = '/etc/pomerium/host-agent.yaml'

/** Where a setting was given: the file and its line, or the environment variable. */
export interface Place {
  where: string
  line?: number
}

/** One thing wrong with the configuration. */
export interface ConfigError extends Place {
  message: string
}

/** Who reads or writes a file that a setting names: systemd itself, or one of our wings, in its sandbox. */
export type Wing = 'network' | 'root'

interface Hidden {
  folder: string
  /** To stand behind the folder's name. */
  why: string
}

const temporary = ['/tmp', '/var/tmp'].map(folder => ({
  folder,
  why: 'and our services have a folder of their own in its place',
}))
const hidden = (...folders: string[]): Hidden[] =>
  folders.map(folder => ({ folder, why: 'which is hidden from our service' }))

/**
 * What the units hide (systemd.exec(5)): `PrivateTmp=`, and from the network wing `ProtectHome=` and
 * `InaccessiblePaths=`. What `LoadCredential=` names is read by systemd, from which nothing is hidden.
 */
const HIDDEN: Record<Wing, readonly Hidden[]> = {
  root: temporary,
  network: [
    ...temporary,
    ...hidden('/home', '/root', '/run/user'),
    ...hidden('/etc/ssh', '/var/lib/pomerium', '/var/lib/pomerium-host-agent'),
  ],
}

/** The folder above `path` that is not there for a wing, and why; `undefined` where none is. */
export function hiddenFrom(wing: Wing, path: string): Hidden | undefined {
  return HIDDEN[wing].find(({ folder }) => path === folder || path.startsWith(`${folder}/`))
}

// `ReadWritePaths=` of the very folder that `ProtectHome=read-only` protects changes nothing; of one below
// it, it does (tried on systemd 247 and 252).
const READ_ONLY = ['/home', '/root', '/run/user']

/** Whether the root wing can't write to a folder, whatever its settings allow it. */
export function isReadOnlyFolder(folder: string): boolean {
  return READ_ONLY.includes(folder)
}

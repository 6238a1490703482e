import type { Layout } from '../../core/config/layout.ts'
import type { HostFiles } from '../files/config-files.ts'
import type { Sshd } from '../openssh/openssh.ts'
import type { SecondVerifier } from '../openssh/second-verifier.ts'
import type { FoundSshd } from '../sshd/ssh-service.ts'
import type { Service } from './budgeted-restarts.ts'

/**
 * A host as the provisioner sees it: its places, its files, its sshd and what restarts that. It does not
 * change once it is opened: what a turn finds is in what the turn returns.
 */
export interface Host extends HostFiles {
  readonly layout: Layout
  /** Who must own what we write: root, in earnest. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /** Whether this process is root, which may read and ask what nobody else may. */
  readonly isRoot: boolean
  /** The file that sshd starts from. */
  readonly mainConfig: string
  /** The texts behind each `-o` of the sshd that listens; none if not given. */
  readonly commandLine?: readonly string[]
  /** The sshd that this host is configured for, to be remembered; missing in a tree. */
  readonly found?: FoundSshd
  readonly sshd: Sshd | undefined
  readonly service: Service
  /** Verifies a signature once more; absent in tests that are of something else. */
  readonly verifyAgain?: SecondVerifier
  /** Tells at once what a person must look into, beside the outcome. */
  readonly alarm?: (code: string, message: string) => Promise<void>
  /** Where Prometheus' node exporter looks for what we tell it (`metrics.textfile`). */
  readonly textfile?: { readonly path: string; readonly version: string }
  /** Gives a file the SELinux label of its place, before it gets its name. */
  readonly relabel?: (path: string) => void
}

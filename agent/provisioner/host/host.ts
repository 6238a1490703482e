import type { Layout } from '../../core/config/layout.ts'
import type { HostFiles } from '../files/config-files.ts'
import type { Sshd } from '../openssh/openssh.ts'
import type { SecondVerifier } from '../openssh/second-verifier.ts'
import type { FoundSshd } from '../sshd/ssh-service.ts'
import type { Service } from './sshd-service.ts'

/** A host as the provisioner sees it: its places, its files, its sshd and what restarts that. */
export interface Host extends HostFiles {
  layout: Layout
  /** Who must own what we write: root, in earnest. */
  owner: { uid: number; gid: number }
  /** The file that sshd starts from. */
  mainConfig: string
  /** The texts behind each `-o` of the sshd that listens; none if not given. */
  commandLine?: readonly string[]
  /** The sshd that this host is configured for, to be remembered; missing in a tree. */
  found?: FoundSshd
  sshd: Sshd | undefined
  service: Service
  /** Verifies a signature once more; absent in tests that are of something else. */
  verifyAgain?: SecondVerifier
  /** Tells at once what a person must look into, beside the outcome. */
  alarm?(code: string, message: string): Promise<void>
  /** Where Prometheus' node exporter looks for what we tell it (`metrics.textfile`). */
  textfile?: { path: string; version: string }
  /** Whether sshd goes by our keys, as far as this turn has seen; for the status. */
  effective?: boolean
  /** The ports on which this turn saw that sshd is to listen; for the status. */
  ports?: readonly number[]
  /** Gives a file the SELinux label of its place, before it gets its name. */
  relabel?(path: string): void
}

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import {
  DESCRIPTION,
  hostScript,
  layTree,
  type Packable,
  packageVersion,
  plain,
  SUMMARY,
} from './layout.ts'

const ARCHITECTURE = { x64: 'x86_64', arm64: 'aarch64' }

// In $1 rpm says how many versions of the package there are when it is done. It knows no purge.
const SCRIPTS = {
  pre: 'read_no_start',
  post: 'if [ "$1" = 1 ]; then put_in_force ""; else put_in_force upgrade; fi',
  preun:
    'if [ "$1" = 0 ]; then stand_down "until $NAME is installed again and takes them off by: configure --undo"; fi',
}

/** Makes the .rpm of a program in `folder`, by rpm's own tool; returns its path. */
export async function packRpm(packable: Packable, folder: string): Promise<string> {
  const { program, architecture, time } = packable
  const version = packageVersion(packable.version)
  const work = `${program}.rpm`
  const tree = join(work, 'tree')
  mkdirSync(tree, { recursive: true })
  await layTree(packable, tree)
  writeFileSync(join(work, 'spec'), specFile(version))
  const settings = Object.entries({
    _topdir: work,
    tree,
    // Every rpm that finds a new enough glibc can read zstd.
    _binary_payload: 'w9.zstdio',
    _buildhost: 'reproducible',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    source_date_epoch_from_changelog: '0',
    _build_id_links: 'none',
    // What is there is what is shipped: nothing is stripped, compiled or compressed once more.
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
  }).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  const target = ['--target', `${ARCHITECTURE[architecture]}-linux`]
  await execa('rpmbuild', ['-bb', ...target, ...settings, join(work, 'spec')], plain(time, work))
  const name = `pomerium-host-agent-${version}-1.${ARCHITECTURE[architecture]}.rpm`
  renameSync(join(work, 'RPMS', ARCHITECTURE[architecture], name), join(folder, name))
  rmSync(work, { recursive: true })
  return join(folder, name)
}

// rpm would take a % in a script for one of its macros.
const scriptlet = (does: string) => hostScript(does).replaceAll('%', '%%')

// By the names of libraries, which are the same with Red Hat and SUSE.
const specFile = (version: string) => `\
Name: pomerium-host-agent
Version: ${version}
Release: 1
Summary: ${SUMMARY}
License: Apache-2.0
URL: https://www.pomerium.com/docs/capabilities/native-ssh-access
AutoReqProv: no
Requires: libc.so.6(GLIBC_2.28)(64bit), libstdc++.so.6()(64bit), libgcc_s.so.1()(64bit)
Requires: openssh-server, util-linux, /bin/sh

%description
${DESCRIPTION.join('\n')}

%install
cp -a %{tree}/. %{buildroot}/

%files
%defattr(-,root,root,-)
/usr/bin/pomerium-host-agent
/usr/libexec/pomerium-host-agent
/usr/share/doc/pomerium-host-agent

%pre
${scriptlet(SCRIPTS.pre)}
%post
${scriptlet(SCRIPTS.post)}
%preun
${scriptlet(SCRIPTS.preun)}`

#!/bin/sh
# make-base.sh SUITE TARGET: makes the tree of a Debian host. Runs under flock, so only one makes it.
# base.ts hashes this file into TARGET's name: whatever is changed here remakes the tree.
set -eu
suite=$1 target=$2
if [ -d "$target" ]; then exit 0; fi
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# In memory, because dpkg syncs every file it writes. This mount namespace is ours alone.
mount -t tmpfs -o mode=0755 tmpfs /mnt
tree=/mnt/tree
debootstrap --variant=minbase \
  --include=systemd,systemd-sysv,dbus,openssh-server,openssh-client,iproute2,procps,ca-certificates,curl,passwd \
  "$suite" "$tree" http://deb.debian.org/debian

# No password at all, as fleets make their people: sshd must let the certificate in regardless.
chroot "$tree" useradd --create-home --shell /bin/bash --password '*' alice
# Empty: every boot takes an id of its own, and FixedRandomDelay differs between hosts as in life.
: >"$tree/etc/machine-id"
# The network of the machine that made the tree is no business of the host's.
rm -f "$tree/etc/resolv.conf" "$tree/etc/hostname"
rm -rf "$tree"/var/cache/apt/*.bin "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*

# Whole or not at all under its final name.
rm -rf "$target.partial"
mkdir -p "$target.partial"
cp -a "$tree/." "$target.partial/"
mv "$target.partial" "$target"

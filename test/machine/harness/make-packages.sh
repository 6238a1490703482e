#!/bin/sh
# make-packages.sh BASE TARGET PACKAGE...: makes a layer above BASE in which the packages are installed.
set -eu
base=$1 target=$2
shift 2
if [ -d "$target" ]; then exit 0; fi
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/tree
tree=/mnt/tree
mount -t overlay overlay -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" "$tree"
mount -t proc proc "$tree/proc"
mount --bind /dev "$tree/dev"
cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
chroot "$tree" apt-get -q update
chroot "$tree" apt-get -q install --yes --no-install-recommends "$@"
chroot "$tree" apt-get -q clean
umount "$tree/dev" "$tree/proc"
rm -rf "$tree/etc/resolv.conf" "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/*
umount "$tree"

rm -rf "$target.partial"
mkdir -p "$target.partial"
cp -a /mnt/upper/. "$target.partial/"
mv "$target.partial" "$target"

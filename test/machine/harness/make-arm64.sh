#!/bin/sh
# make-arm64.sh TARGET: the C and C++ libraries of an arm64 host, for programs that run under qemu-user.
set -eu
target=$1
if [ -d "$target" ]; then exit 0; fi
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t tmpfs -o mode=0755 tmpfs /mnt
# Foreign: unpacked only, because nothing of it runs here.
debootstrap --foreign --arch=arm64 --variant=minbase bookworm /mnt/tree http://deb.debian.org/debian

rm -rf "$target.partial"
mkdir -p "$target.partial/usr/lib"
cp -a /mnt/tree/lib "$target.partial/"
cd /mnt/tree/usr/lib
cp -a aarch64-linux-gnu ld-linux-aarch64.so.1 "$target.partial/usr/lib/"
mv "$target.partial" "$target"

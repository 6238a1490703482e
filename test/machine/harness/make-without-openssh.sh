#!/bin/sh
# make-without-openssh.sh BASE TARGET: makes TARGET/layer, to lay above BASE, in which OpenSSH and what came
# with it is not there, and TARGET/repository, from which apt can have it. The layer's apt asks that and
# nobody else, on port 8080 of its own loopback.
set -eu
base=$1 target=$2
if [ -d "$target" ]; then exit 0; fi
export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t tmpfs -o mode=0755 tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/tree /mnt/repository
tree=/mnt/tree
mount -t overlay overlay -o "lowerdir=$base,upperdir=/mnt/upper,workdir=/mnt/work" "$tree"
mount -t proc proc "$tree/proc"
mount --bind /dev "$tree/dev"
cp -L /etc/resolv.conf "$tree/etc/resolv.conf"
inside() { chroot "$tree" "$@"; }

# debootstrap lets every library count as wanted for its own sake.
# shellcheck disable=SC2016 # dpkg-query's own variables
inside dpkg-query -W -f '${Section} ${Package}\n' | sed -n 's/^libs //p' | inside xargs apt-mark -q auto
inside apt-get -q purge --yes --auto-remove openssh-client openssh-server openssh-sftp-server
inside userdel sshd || true
if inside sh -c 'command -v sshd ssh ssh-keygen' || inside getent passwd sshd; then exit 1; fi

inside apt-get -q update
inside apt-get -q install --yes --no-install-recommends --download-only openssh-server
for deb in "$tree"/var/cache/apt/archives/*.deb; do
  name=$(dpkg-deb --field "$deb" Package).deb
  mv "$deb" "/mnt/repository/$name"
  deb=/mnt/repository/$name
  dpkg-deb --field "$deb"
  printf 'Filename: ./%s\nSize: %s\n' "$name" "$(stat -c %s "$deb")"
  printf 'SHA256: %s\n\n' "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done >/mnt/repository/Packages

# Its signature is apt's own affair, and no concern here.
rm -f "$tree"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] http://127.0.0.1:8080 ./' >"$tree/etc/apt/sources.list"
umount "$tree/dev" "$tree/proc"
rm -rf "$tree/etc/resolv.conf" "$tree"/var/cache/apt/*.bin "$tree"/var/lib/apt/lists/*
umount "$tree"

rm -rf "$target.partial"
mkdir -p "$target.partial/layer"
cp -a /mnt/upper/. "$target.partial/layer/"
cp -a /mnt/repository "$target.partial/repository"
mv "$target.partial" "$target"

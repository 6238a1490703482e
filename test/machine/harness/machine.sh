#!/bin/sh
# machine.sh NAME LOWERDIRS COMMAND...: the chassis of a host. It holds the disk; "on" on its stdin
# starts COMMAND in a cgroup of the host's own, "off" kills all of it. At the end of stdin
# everything goes: the worker that holds the other end may die as it likes, even by SIGKILL.
set -eu
name=$1 lower=$2
shift 2

# Mounted in a namespace of our own, all of which vanishes with the last process in it: the disk,
# what nspawn keeps in /run, and version 2 of cgroups also on a machine that mixes it with 1.
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/upper /run/work /run/tree
mount -t overlay overlay -o "lowerdir=$lower,upperdir=/run/upper,workdir=/run/work" /run/tree

# nspawn makes "payload" and "supervisor" in the cgroup that it is started in: two hosts that shared
# them would kill each other's services. Nor does init die with nspawn, but it does with the cgroup.
cgroup=/sys/fs/cgroup/$name
mkdir "$cgroup"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
# shellcheck disable=SC2016 # the inner shell is the one to say who it is
join='echo $$ >"$0/cgroup.procs" && exec "$@"'

# Init first, at one blow with all that it started, so that nspawn is there to bury it.
pull_the_plug() {
  kill=$cgroup/payload/cgroup.kill
  if [ ! -e "$kill" ]; then kill=$cgroup/cgroup.kill; fi
  echo 1 >"$kill"
  wait
}

# The kernel takes the dead out of a cgroup a moment after they are gone.
bury() {
  while [ -n "$(find "$cgroup" "$@" -type d 2>/dev/null)" ]; do
    find "$cgroup" "$@" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.01
  done
}

while read -r order; do
  case $order in
    on) sh -c "$join" "$cgroup" "$@" </dev/null & ;;
    off)
      pull_the_plug
      # A cgroup that was killed once kills what systemd 257 clones into it later (CLONE_INTO_CGROUP
      # on Linux 6.18): the next boot gets fresh ones.
      bury -mindepth 1
      ;;
  esac
done

pull_the_plug
bury

# shellcheck shell=sh
# What a package does on a host, the same for .deb and .rpm. All that is more than a few lines is the
# program's own `configure`, which install.sh calls too.

NAME=pomerium-host-agent
PROGRAM=/usr/libexec/$NAME
COMMAND=/usr/bin/$NAME
CONFIG=/etc/pomerium/host-agent.yaml
RECORD=/var/lib/$NAME/install.json
KEPT=/var/lib/$NAME-removed
# Here from `remove` until `apply` or `configure`: an upgrade is neither.
STOOD_DOWN=/var/lib/$NAME/stood-down.json

# Before the files are laid, and again when it counts: 1 is yes, 0 or nothing is no.
read_no_start() {
  case ${POMERIUM_HOST_AGENT_NO_START:-} in
    1) no_start=1 ;;
    '' | 0) no_start='' ;;
    *)
      echo "$NAME: POMERIUM_HOST_AGENT_NO_START is neither 1 for yes nor 0 for no" >&2
      exit 2
      ;;
  esac
}

# After the files are laid. Without a source there is nothing to follow, and nothing is started.
put_in_force() {
  read_no_start
  rm -rf "$KEPT"
  source_url=${POMERIUM_HOST_AGENT_SOURCE_URL:-}
  # The program would take them for settings of its own.
  unset POMERIUM_HOST_AGENT_SOURCE_URL POMERIUM_HOST_AGENT_NO_START
  if [ ! -e "$CONFIG" ]; then
    if [ -z "$source_url" ]; then
      [ -n "$1" ] || say_next_step
      return 0
    fi
    set -- --set "source.url=$source_url"
  else
    set --
  fi
  # In images and chroots of Debian's a policy forbids to start anything (invoke-rc.d(8)).
  if [ -x /usr/sbin/policy-rc.d ] && ! /usr/sbin/policy-rc.d "$NAME" start >/dev/null 2>&1; then
    no_start=1
  fi
  [ -z "$no_start" ] || set -- "$@" --no-start
  "$COMMAND" configure --renewed "$@" || return
  take_over
  if [ -n "$no_start" ] || [ -e "$STOOD_DOWN" ]; then return 0; fi
  # A silent source or a host that refuses is told here and in `status`; the package is well all the same.
  code=0
  "$COMMAND" apply || code=$?
  case $code in
    0 | 3 | 4 | 5) return 0 ;;
  esac
  return "$code"
}

say_next_step() {
  cat <<TEXT
$NAME is installed and idle: it does not know yet where your CA keys are published.

  sudo $NAME configure --set source.url=https://…   starts it, now and at every boot
  sudo $NAME apply                                  asks at once, and says what is trusted
TEXT
}

# What install.sh had put here is replaced; the units call the package's program by now.
take_over() {
  case $(readlink "/usr/local/bin/$NAME") in
    "/usr/local/lib/$NAME/"*) rm -rf "/usr/local/bin/$NAME" "/usr/local/lib/$NAME" ;;
  esac
}

# Before the files go. Who comes in by way of Pomerium is not locked out by a package that goes.
stand_down() {
  [ -e "$RECORD" ] || return 0
  "$COMMAND" configure --stand-down || return
  echo "This host follows no rotation from now on. Its sshd keeps trusting the CA keys it has, $1."
}

# When a package is purged its files are gone, and only the program can put everything back.
keep_for_purge() {
  [ -e "$RECORD" ] || return 0
  rm -rf "$KEPT"
  cp -al "$PROGRAM" "$KEPT" 2>/dev/null || { rm -rf "$KEPT" && cp -a "$PROGRAM" "$KEPT"; }
}

put_back() {
  [ -x "$KEPT/$NAME" ] || return 0
  "$KEPT/$NAME" configure --undo || return
  rm -rf "$KEPT"
}

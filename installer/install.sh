#!/bin/sh
# Installs pomerium-host-agent, upgrades it, or takes it off again:
#
#   curl -fsSL https://…/install.sh | sudo sh -s -- --source-url https://ssh-ca.example.com/bundle
#   curl -fsSL https://…/install.sh | sudo sh -s -- --uninstall
#
# Nothing is written before the release's signature and checksum are found good. Everything is in
# functions, which the last line calls: a download that was cut off does nothing.
set -eu

VERSION='@VERSION@'
RELEASE_SIGNER='@RELEASE_SIGNER@'
DOWNLOAD_URL='@DOWNLOAD_URL@'

NAME=pomerium-host-agent
LIB=/usr/local/lib/$NAME
LINK=/usr/local/bin/$NAME
CONFIG=/etc/pomerium/host-agent.yaml
# Where a .deb or an .rpm has it.
PACKAGED=/usr/libexec/$NAME
# The unpacked program with room to spare, and the archive.
LIB_MB=200
TMP_MB=80

usage() {
  cat <<EOF
Installs pomerium-host-agent $VERSION: sshd on this host will trust your Pomerium User CA keys.

Usage: install.sh --source-url URL [FLAG]...

  --source-url URL           where the CA keys are published      SOURCE_URL
  --source-token-file FILE   bearer token for it                  SOURCE_TOKEN_FILE
  --source-ca-file FILE      extra TLS roots for it (PEM)         SOURCE_CA_FILE
  --signers-file FILE        who may sign bundles                 SIGNERS_FILE
  --fingerprint SHA256:…     a CA key to allow; repeatable        FINGERPRINT (commas)
  --conflict refuse|adopt    where sshd trusts another CA         CONFLICT
  --webhook-listen ADDRESS   as 0.0.0.0:9444                      WEBHOOK_LISTEN
  --webhook-secret-file FILE the webhook's whsec_… secret         WEBHOOK_SECRET_FILE
  --resident                 stay in memory instead of sleeping   RESIDENT=1
  --no-start                 for images: start nothing            NO_START=1
  --download-url URL         the folder of the release's files    DOWNLOAD_URL
  --version X.Y.Z            this release, even an older one      VERSION
  --dry-run                  check everything, change nothing     DRY_RUN=1
  --uninstall                leave this host as it was found      UNINSTALL=1

On the right: the same as an environment variable, after POMERIUM_HOST_AGENT_.
No network is needed where the release's files lie beside install.sh.
EOF
}

# --- what it says -------------------------------------------------------------------------------

say() { printf '  %s%-9s%s %s\n' "$bold" "$1" "$plain" "$2"; }

fail() {
  printf '%sinstall.sh:%s %s\n' "$red" "$plain" "$1" >&2
  exit "${2:-1}"
}

colours() {
  bold='' red='' plain=''
  if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') red=$(printf '\033[31m') plain=$(printf '\033[0m')
  fi
}

# --- what it is asked for -----------------------------------------------------------------------

read_environment() {
  source_url=${POMERIUM_HOST_AGENT_SOURCE_URL:-}
  source_token_file=${POMERIUM_HOST_AGENT_SOURCE_TOKEN_FILE:-}
  source_ca_file=${POMERIUM_HOST_AGENT_SOURCE_CA_FILE:-}
  signers_file=${POMERIUM_HOST_AGENT_SIGNERS_FILE:-}
  fingerprints=${POMERIUM_HOST_AGENT_FINGERPRINT:-}
  conflict=${POMERIUM_HOST_AGENT_CONFLICT:-}
  webhook_listen=${POMERIUM_HOST_AGENT_WEBHOOK_LISTEN:-}
  webhook_secret_file=${POMERIUM_HOST_AGENT_WEBHOOK_SECRET_FILE:-}
  resident=${POMERIUM_HOST_AGENT_RESIDENT:-}
  no_start=${POMERIUM_HOST_AGENT_NO_START:-}
  download_url=${POMERIUM_HOST_AGENT_DOWNLOAD_URL:-}
  asked_version=${POMERIUM_HOST_AGENT_VERSION:-}
  dry_run=${POMERIUM_HOST_AGENT_DRY_RUN:-}
  uninstall=${POMERIUM_HOST_AGENT_UNINSTALL:-}
  # The program would take them for settings of its own.
  for variable in SOURCE_URL SOURCE_TOKEN_FILE SOURCE_CA_FILE SIGNERS_FILE FINGERPRINT CONFLICT \
    WEBHOOK_LISTEN WEBHOOK_SECRET_FILE RESIDENT NO_START DOWNLOAD_URL VERSION DRY_RUN UNINSTALL; do
    unset "POMERIUM_HOST_AGENT_$variable"
  done
}

read_flags() {
  while [ $# -gt 0 ]; do
    flag=$1
    shift
    case $flag in
      -h | --help) usage && exit 0 ;;
      --resident) resident=1 && continue ;;
      --no-start) no_start=1 && continue ;;
      --dry-run) dry_run=1 && continue ;;
      --uninstall) uninstall=1 && continue ;;
      --*=*) value=${flag#*=} flag=${flag%%=*} ;;
      *)
        value=${1:-}
        [ $# -eq 0 ] || shift
        ;;
    esac
    case $flag in
      --source-url) source_url=$value ;;
      --source-token-file) source_token_file=$value ;;
      --source-ca-file) source_ca_file=$value ;;
      --signers-file) signers_file=$value ;;
      --fingerprint) fingerprints=${fingerprints:+$fingerprints,}$value ;;
      --conflict) conflict=$value ;;
      --webhook-listen) webhook_listen=$value ;;
      --webhook-secret-file) webhook_secret_file=$value ;;
      --download-url) download_url=$value ;;
      --version) asked_version=$value ;;
      *) fail "there is no flag $flag; see --help" 2 ;;
    esac
    # What begins with dashes is the next flag, and its own value was forgotten.
    case $value in
      '' | --*) fail "$flag wants a value; see --help" 2 ;;
    esac
  done
}

# --- whether this host can have it --------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

need_cmd() {
  for tool; do
    has "$tool" || fail "$tool is needed and not here; install it first"
  done
}

has_node() { has node && [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 24 ]; }

check_host() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); there are releases for Linux only"
  case $(uname -m) in
    x86_64 | amd64) variant=linux-x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64 | arm64) variant=linux-arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) variant='' loader='' why="there is no release for $(uname -m)" ;;
  esac
  if [ -n "$loader" ] && [ ! -e "$loader" ]; then
    variant='' why='this host has no glibc (musl?)'
  fi
  if [ -z "$variant" ]; then
    has_node || fail "$why; a host with Node 24 or newer takes the noarch one"
    variant=noarch
  fi
  [ "$(id -u)" = 0 ] || fail 'this needs root: curl … | sudo sh -s -- …'
}

check_tools() {
  need_cmd mktemp tar sha256sum ssh-keygen flock timeout df sed readlink cp mv rm ln cat mkdir chmod
  if has xz; then packed=tar.xz unpack=xz; else packed=tar.gz unpack=gzip; fi
  need_cmd "$unpack"
  case $(ssh-keygen -Y verify 2>&1 </dev/null) in
    *'option -- '*) fail 'OpenSSH 8.1 or newer is needed to verify the release (ssh-keygen -Y verify)' ;;
  esac
  sshd=''
  for each in /usr/sbin/sshd /usr/local/sbin/sshd /usr/bin/sshd /sbin/sshd; do
    [ -n "$sshd" ] || [ ! -x "$each" ] || sshd=$each
  done
  [ -n "$sshd" ] || fail 'there is no sshd on this host; install openssh-server first'
  init=$(find_init)
  [ -n "$init" ] || fail 'no init that we know runs here (systemd, OpenRC, sysvinit, runit); for an image say --no-start'
}

find_init() {
  if [ -d /run/systemd/system ]; then echo systemd
  elif [ -e /run/openrc/softlevel ]; then echo OpenRC
  elif [ "$(cat /proc/1/comm 2>/dev/null)" = runit ]; then echo runit
  elif [ -e /run/initctl ]; then echo sysvinit
  elif [ -n "$no_start" ]; then echo none
  fi
}

check_space() {
  folder=$1
  while [ -n "$folder" ] && [ ! -d "$folder" ]; do folder=${folder%/*}; done
  free=$(df -Pk "${folder:-/}" | sed -n '2s/.* \([0-9][0-9]*\)  *[0-9]*%.*/\1/p')
  [ "${free:-0}" -ge $(($2 * 1024)) ] || fail "$1 needs $2 MB free and has $((${free:-0} / 1024)) MB"
}

# --- the release --------------------------------------------------------------------------------

# Whether what lies where the link is to be was put there by somebody else.
is_foreign() {
  if [ ! -L "$LINK" ]; then [ -e "$LINK" ] && return 0 || return 1; fi
  case $(readlink "$LINK") in
    "$LIB"/[0-9]*/"$NAME") return 1 ;;
  esac
}

# The version that the link leads to; nothing where there is none.
installed_version() {
  [ -L "$LINK" ] || return 0
  target=$(readlink "$LINK")
  target=${target#"$LIB"/}
  echo "${target%%/*}"
}

# Whether version $1 comes after $2 (semver.org, §11): 1.2.0-rc.1 comes before 1.2.0.
is_newer() {
  for at in 1 2 3; do
    one=$(echo "${1%%-*}" | cut -d. -f$at) other=$(echo "${2%%-*}" | cut -d. -f$at)
    [ "${one:-0}" -eq "${other:-0}" ] || { [ "${one:-0}" -gt "${other:-0}" ] && return 0 || return 1; }
  done
  case $1:$2 in
    *-*:*-*) [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ] ;;
    *:*-*) return 0 ;;
    *) return 1 ;;
  esac
}

choose_version() {
  version=${asked_version:-$VERSION}
  case $version in
    *[!0-9A-Za-z.-]* | [!0-9]*) fail "\"$version\" is no version" 2 ;;
  esac
  previous=$(installed_version)
  if [ -z "$asked_version" ] && [ -n "$previous" ] && is_newer "$previous" "$version"; then
    fail "$previous is installed, which is newer than $version; to go back, say --version $version"
  fi
}

choose_place() {
  here=''
  case $0 in
    */install.sh) here=${0%/install.sh} ;;
    install.sh) here=. ;;
  esac
  if [ -n "$download_url" ] || [ -z "$here" ] || [ ! -f "$here/SHA256SUMS" ]; then
    here=''
    download_url=${download_url:-$DOWNLOAD_URL}
    case $download_url in
      '' | @*) fail 'say --download-url: the folder that holds the release' 2 ;;
    esac
    has curl || has wget || fail 'curl or wget is needed; install one first'
  fi
}

# Both heed http_proxy, https_proxy and no_proxy.
obtain() {
  if [ -n "$here" ]; then
    cp "$here/$1" "$tmp/$1" || fail "$here/$1 is missing"
  elif has curl; then
    curl -fsSL --connect-timeout 20 --retry 2 -o "$tmp/$1" "${download_url%/}/$1" ||
      fail "${download_url%/}/$1 could not be downloaded"
  else
    wget -q -T 20 -O "$tmp/$1" "${download_url%/}/$1" ||
      fail "${download_url%/}/$1 could not be downloaded"
  fi
}

# Good words only from whom this script names, and only about the version that is wanted.
verify_release() {
  obtain SHA256SUMS
  obtain SHA256SUMS.sig
  printf 'release namespaces="file" %s\n' "$RELEASE_SIGNER" >"$tmp/signers"
  ssh-keygen -Y verify -f "$tmp/signers" -I release -n file -s "$tmp/SHA256SUMS.sig" \
    <"$tmp/SHA256SUMS" >/dev/null 2>&1 ||
    fail 'the signature of SHA256SUMS is not good: nothing was installed'
  archive=$NAME-$version-$variant.$packed
  wanted_sum=''
  while read -r sum file; do
    [ "${file#\*}" != "$archive" ] || wanted_sum=$sum
  done <"$tmp/SHA256SUMS"
  [ -n "$wanted_sum" ] || fail "the signed SHA256SUMS is not of $version ($archive): nothing was installed"
}

verify_archive() {
  obtain "$archive"
  echo "$wanted_sum  $tmp/$archive" | sha256sum -c >/dev/null 2>&1 ||
    fail "$archive is not what SHA256SUMS says: nothing was installed"
}

unpack_release() {
  mkdir -p "$LIB" "${LINK%/*}"
  new=$LIB/$version
  rm -rf "$LIB/.unpacked"
  mkdir "$LIB/.unpacked"
  undo=forget_unpacked
  "$unpack" -dc "$tmp/$archive" | tar -xof - -C "$LIB/.unpacked"
  echo "$wanted_sum" >"$LIB/.unpacked/$NAME-$version/archive.sha256"
  mv "$LIB/.unpacked/$NAME-$version" "$new"
  rmdir "$LIB/.unpacked"
  said=$(timeout 60 "$new/$NAME" --version 2>&1) || fail "$version does not start here: $said"
  [ "$said" = "$NAME $version" ] || fail "the archive of $version says that it is \"$said\""
}

forget_unpacked() {
  rm -rf "$LIB/.unpacked" "$new"
  rmdir "$LIB" 2>/dev/null || :
}

# --- putting it in force ------------------------------------------------------------------------

# By rename: at every instant the link leads to one whole version.
point_link() {
  ln -sfn "$1/$NAME" "$LINK.new"
  mv -f "$LINK.new" "$LINK"
}

configure() {
  # posh takes "$@" for unset where there is nothing in it.
  set -- configure ${1+"$@"}
  [ -z "$source_url" ] || set -- "$@" --set "source.url=$source_url"
  [ -z "$source_token_file" ] || set -- "$@" --copy "source.token_file=$source_token_file"
  [ -z "$source_ca_file" ] || set -- "$@" --copy "source.ca_file=$source_ca_file"
  [ -z "$signers_file" ] || set -- "$@" --copy "trust.signers_file=$signers_file"
  [ -z "$fingerprints" ] || set -- "$@" --set "trust.fingerprints=$fingerprints"
  [ -z "$conflict" ] || set -- "$@" --set "sshd.conflict=$conflict"
  [ -z "$webhook_listen" ] || set -- "$@" --set "webhook.listen=$webhook_listen"
  [ -z "$webhook_secret_file" ] || set -- "$@" --copy "webhook.secret_file=$webhook_secret_file"
  [ -z "$resident" ] || set -- "$@" --resident
  timeout 300 "$LINK" "$@"
}

# `apply` asks the source; where that is silent, the keys that are held must be in force.
prove() {
  code=0
  "$LINK" apply >"$tmp/apply" 2>&1 || code=$?
  [ "$code" != 3 ] || [ -z "$previous" ] || { "$LINK" repair >>"$tmp/apply" 2>&1 && code=0; }
  return $code
}

# Both wings, each as its unit confines it. A network wing that serves a webhook may stay a while.
prove_units() {
  [ "$init" = systemd ] || return 0
  systemctl start "$NAME-repair.service" && systemctl start "$NAME.service" || return 1
  for second in 1 2 3 4 5 6 7 8 9 10; do
    state=$(systemctl is-active "$NAME.service") || break
    [ "$state" != active ] || [ "$second" != 5 ] || break
    sleep 1
  done
  case $state in
    failed | activating) return 1 ;;
  esac
}

install_first() {
  undo=forget_install
  point_link "$new"
  configure --no-start >"$tmp/configure" 2>&1 || fail "$(cat "$tmp/configure")"
  undo=''
  say installed "$LIB/$version"
  if [ -n "$no_start" ]; then
    say ready 'it starts at the first boot'
    return
  fi
  code=0
  prove || code=$?
  configure >"$tmp/configure" 2>&1 || fail "$(cat "$tmp/configure")"
  end_screen
  exit $code
}

forget_install() {
  "$LINK" configure --undo >/dev/null 2>&1 || :
  rm -rf "$LINK" "$LIB"
}

upgrade() {
  [ ! -e "$CONFIG" ] || cp -p "$CONFIG" "$tmp/config"
  undo=go_back
  point_link "$new"
  if [ -n "$no_start" ]; then
    configure --no-start >"$tmp/log" 2>&1 || fail "$(cat "$tmp/log")"
  else
    configure --renewed >"$tmp/log" 2>&1 || fail "$(cat "$tmp/log")"
    prove || fail "$version can't prove this host: $(cat "$tmp/apply")"
    prove_units || fail "$version does not run under its units: journalctl -u '$NAME*'"
  fi
  undo=''
  for folder in "$LIB"/*; do
    [ "$folder" = "$new" ] || rm -rf "$folder"
  done
  forget_compiled
  say upgraded "$previous to $version"
  [ -n "$no_start" ] || end_screen
}

# Node's compile cache is kept by path: what is of a version that went is never read again.
forget_compiled() { rm -rf "/var/lib/$NAME/compile-cache" "/var/lib/$NAME-daemon/compile-cache"; }

go_back() {
  point_link "$LIB/$previous"
  [ ! -e "$tmp/config" ] || cp -p "$tmp/config" "$CONFIG"
  if [ -n "$no_start" ]; then "$LINK" configure --no-start; else "$LINK" configure --renewed; fi >"$tmp/log" 2>&1 ||
    cat "$tmp/log" >&2
  rm -rf "$new"
  forget_compiled
  echo "install.sh: $previous is in force again" >&2
}

# Nothing is written here but what the flags or an edit have changed.
keep() {
  say unchanged "$version is installed already"
  if [ -n "$no_start" ]; then set -- --no-start; fi
  configure ${1+"$@"} >"$tmp/configure" 2>&1 || fail "$(cat "$tmp/configure")" 2
  sed 's/^/  /' "$tmp/configure"
}

remove_all() {
  [ "$(id -u)" = 0 ] || fail 'this needs root: curl … | sudo sh -s -- --uninstall'
  # It would be run, and taken away.
  if is_foreign; then fail "$LINK is there and not ours"; fi
  if [ ! -L "$LINK" ] && [ ! -d "$LIB" ]; then
    say unchanged "$NAME is not on this host"
    return
  fi
  if [ -n "$dry_run" ]; then
    say would "take $NAME $(installed_version) off, with all that it made"
    return
  fi
  "$LINK" configure --undo || fail "the host could not be put back as it was; mend that and run this again" $?
  rm -rf "$LINK" "$LIB"
  say removed "this host is as it was found"
}

end_screen() {
  echo
  sed 's/^/  /' "$tmp/apply"
  cat <<EOF

  ${bold}Try it${plain}       ssh you@ROUTE@YOUR-POMERIUM     (your SSH route, through Pomerium)
  ${bold}Look${plain}         $NAME status
  ${bold}Settings${plain}     $CONFIG, then: sudo $NAME configure
  ${bold}Take it off${plain}  install.sh --uninstall
EOF
}

# --- the whole ----------------------------------------------------------------------------------

clean_up() {
  code=$?
  trap - 0
  $undo
  rm -rf "$tmp"
  exit $code
}

main() {
  umask 022
  colours
  read_environment
  read_flags ${1+"$@"}
  case $VERSION in
    @*) fail 'this install.sh is not of a release: npm run release makes one' ;;
  esac
  [ ! -e "$PACKAGED" ] || fail "$NAME is here as a package: upgrade and remove it with apt or dnf"
  if [ -n "$uninstall" ]; then
    remove_all
    return
  fi
  check_host
  check_tools
  choose_version
  choose_place
  if is_foreign; then fail "$LINK is there and not ours"; fi
  [ -e "$CONFIG" ] || [ -n "$source_url" ] || fail 'say --source-url: where your CA keys are published' 2
  [ -d "${TMPDIR:-/tmp}" ] || fail "there is no folder $TMPDIR, which TMPDIR names"
  check_space "${TMPDIR:-/tmp}" "$TMP_MB"
  check_space "$LIB" "$LIB_MB"
  undo='' tmp=$(mktemp -d)
  trap clean_up 0
  trap 'exit 130' HUP INT TERM
  say checked "$variant, $init, $($sshd -V 2>&1 | sed -n 's/^\(OpenSSH_[^ ,]*\).*/\1/p')"
  verify_release
  say verified "$NAME $version, signed"
  if [ "$previous" = "$version" ]; then
    [ "$(cat "$LIB/$version/archive.sha256" 2>/dev/null)" = "$wanted_sum" ] ||
      fail "another build of $version is installed; --uninstall it first"
    if [ -z "$dry_run" ]; then keep; else say would "keep $version, and put the flags in force"; fi
    return
  fi
  if [ -n "$dry_run" ]; then
    say would "${previous:+upgrade $previous: }install $archive in $LIB/$version"
    return
  fi
  verify_archive
  unpack_release
  if [ -z "$previous" ]; then install_first; else upgrade; fi
}

# In braces, so that a cut-off last line is no command either.
{ main ${1+"$@"}; }

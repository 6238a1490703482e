#!/bin/sh
# Installs pomerium-host-agent, upgrades it, or takes it off again:
#
#   curl -fsSL https://…/install.sh | sudo sh -s -- --source-url https://ssh-ca.example.com/bundle
#   curl -fsSL https://…/install.sh | sudo sh -s -- --uninstall
#
# or only the command, for who operates a fleet, on a machine of their own:
#
#   curl -fsSL https://…/install.sh | sh -s -- --operator
#
# Nothing is written before the release's signature and checksum are found good. Everything is in
# functions, which the last line calls: a download that was cut off does nothing.
set -eu

VERSION='@VERSION@'
RELEASE_SIGNER='@RELEASE_SIGNER@'
DOWNLOAD_URL='@DOWNLOAD_URL@'
# The inits that we know, each with what says that it runs: a file, else the name of process 1.
INITS='@INITS@'

NAME=pomerium-host-agent
LIB=/usr/local/lib/$NAME
LINK=/usr/local/bin/$NAME
CONFIG=/etc/pomerium/host-agent.yaml
# Where a .deb or an .rpm has it.
PACKAGED=/usr/libexec/$NAME
# What the program made on this host, and how it was before.
RECORD=/var/lib/$NAME/install.json
STATE=/var/lib/$NAME
# Here from `remove` until `apply` or `configure`: an upgrade is neither.
STOOD_DOWN=/var/lib/$NAME/stood-down.json
# Here from when the link is turned until the new version is proved: what was in force before.
BEGUN=$LIB/.begun
LOCK=/run/$NAME-install.lock
# The unpacked program with room to spare, and the archive.
LIB_MB=200
TMP_MB=80
# Seconds after which a download that stands still is given up.
STALL=30

usage() {
  cat <<EOF
Installs pomerium-host-agent $VERSION: sshd on this host will trust your Pomerium User CA keys.

Usage: install.sh --source-url URL [FLAG]...    on a host
       install.sh --operator [FLAG]...          on the operator's machine

  --source-url URL           where the CA keys are published      SOURCE_URL
  --source-token-file FILE   bearer token for it                  SOURCE_TOKEN_FILE
  --source-ca-file FILE      extra TLS roots for it (PEM)         SOURCE_CA_FILE
  --signers-file FILE        who may sign bundles                 SIGNERS_FILE
  --fingerprint SHA256:…     a CA key to allow; repeatable        FINGERPRINT (commas)
  --accept-from CIDR         trust them from there only: Pomerium  ACCEPT_FROM (commas)
  --exempt-from-penalties CIDR
                             sshd never bans it; as --accept-from  EXEMPT_FROM_PENALTIES
  --conflict refuse|adopt    where sshd trusts another CA         CONFLICT
  --webhook-listen ADDRESS   as 0.0.0.0:9444                      WEBHOOK_LISTEN
  --webhook-secret-file FILE the webhook's whsec_… secret         WEBHOOK_SECRET_FILE
  --resident                 stay in memory instead of sleeping   RESIDENT=1
  --no-start                 for images: start nothing            NO_START=1
  --operator                 only the command; needs no root      OPERATOR=1
  --download-url URL         the folder of the release's files    DOWNLOAD_URL
  --version X.Y.Z            this release, even an older one      VERSION
  --dry-run                  check everything, change nothing     DRY_RUN=1
  --uninstall                leave this host as it was found      UNINSTALL=1

On the right: the same as an environment variable, after POMERIUM_HOST_AGENT_.
No network is needed where the release's files lie beside install.sh.
Behind a proxy: curl … | sudo --preserve-env=https_proxy,http_proxy,no_proxy sh -s -- …
EOF
}

# --- what it says -------------------------------------------------------------------------------

say() { printf '  %s%-9s%s %s\n' "$bold" "$1" "$plain" "$2"; }

hint() {
  printf '  %s%-11s%s  %s\n' "$bold" "$1" "$plain" "$2"
  [ -z "${3:-}" ] || printf '%15s%s\n' '' "$3"
}

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

# Not left where they are: the program would take them for settings of its own.
read_environment() {
  for setting in source_url source_token_file source_ca_file signers_file fingerprint conflict \
    accept_from exempt_from_penalties webhook_listen webhook_secret_file resident no_start operator \
    download_url version dry_run uninstall; do
    variable=POMERIUM_HOST_AGENT_$(echo "$setting" | tr '[:lower:]' '[:upper:]')
    eval "$setting=\${$variable:-}"
    # A template that was not filled in must not read as: verify nothing, trust from anywhere.
    case $setting in
      signers_file | fingerprint | accept_from | exempt_from_penalties)
        eval "[ -n \"\${$variable-unset}\" ]" || fail "$variable is set to nothing: give it a value, or unset it" 2
        ;;
      # Whoever writes 0 means no, and what is written otherwise may be either.
      resident | no_start | operator | dry_run | uninstall)
        eval "value=\$$setting"
        case $value in
          '' | 1) ;;
          0) eval "$setting=''" ;;
          *) fail "$variable is neither 1 for yes nor 0 for no" 2 ;;
        esac
        ;;
    esac
    unset "$variable"
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
      --operator) operator=1 && continue ;;
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
      --fingerprint) fingerprint=${fingerprint:+$fingerprint,}$value ;;
      --accept-from) accept_from=${accept_from:+$accept_from,}$value ;;
      --exempt-from-penalties) exempt_from_penalties=${exempt_from_penalties:+$exempt_from_penalties,}$value ;;
      --conflict) conflict=$value ;;
      --webhook-listen) webhook_listen=$value ;;
      --webhook-secret-file) webhook_secret_file=$value ;;
      --download-url) download_url=$value ;;
      --version) version=$value ;;
      *) fail "there is no flag $flag; see --help" 2 ;;
    esac
    # What begins with dashes is the next flag, and its own value was forgotten.
    case $value in
      '' | --*) fail "$flag wants a value; see --help" 2 ;;
    esac
  done
}

# Said before anything is fetched; what is in them is the program's to judge.
check_files() {
  for setting in source_token_file source_ca_file signers_file webhook_secret_file; do
    eval "file=\$$setting"
    flag=--$(echo "$setting" | tr _ -)
    if [ -d "$file" ]; then
      fail "$flag names a folder, and wants a file: $file" 2
    elif [ -n "$file" ] && [ ! -e "$file" ]; then
      fail "$flag names a file that is not there: $file" 2
    fi
  done
}

# The command alone: what is about a host has no place there. Without root it lies in one's own home.
choose_operators_place() {
  for setting in source_url source_token_file source_ca_file signers_file fingerprint accept_from \
    exempt_from_penalties conflict webhook_listen webhook_secret_file resident no_start; do
    eval "value=\$$setting"
    [ -z "$value" ] || fail "--$(echo "$setting" | tr _ -) is for a host, and --operator makes none" 2
  done
  [ "$(id -u)" != 0 ] || return 0
  [ -d "${HOME:-}" ] || fail "there is no home to install it in: HOME names ${HOME:-nothing}" 2
  LIB=$HOME/.local/lib/$NAME
  LINK=$HOME/.local/bin/$NAME
  BEGUN=$LIB/.begun
  LOCK=$HOME/.$NAME-install.lock
  # Another's: it can't be read, and is no business of this one.
  RECORD=$LIB/none STATE=$LIB/none
}

# --- whether this host can have it --------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# Where services look for it, which is not where nvm and its like put it.
has_node() {
  major=$(PATH=/usr/local/bin:/usr/bin:/bin node -p 'parseInt(process.versions.node)' 2>/dev/null) && [ "$major" -ge 24 ]
}

check_host() {
  [ "$(uname -s)" = Linux ] || fail "this is $(uname -s); there are releases for Linux only"
  case $(uname -m) in
    x86_64 | amd64) variant=linux-x64 loader=/lib64/ld-linux-x86-64.so.2 ;;
    aarch64 | arm64) variant=linux-arm64 loader=/lib/ld-linux-aarch64.so.1 ;;
    *) variant='' loader='' why="there is no release for $(uname -m)" ;;
  esac
  [ -z "$loader" ] || [ -e "$loader" ] || variant='' why='this host has no glibc (musl?)'
  if [ -z "$variant" ]; then
    has_node || fail "$why; a host with Node 24 or newer in /usr/local/bin or /usr/bin takes the noarch one"
    variant=noarch
  fi
}

check_tools() {
  if has xz; then packed=tar.xz unpack=xz; else packed=tar.gz unpack=gzip; fi
  for tool in mktemp tar sha256sum ssh-keygen flock timeout df sed readlink cp mv rm ln mkdir chmod "$unpack"; do
    has "$tool" || fail "$tool is needed and not here; install it first"
  done
  case $(ssh-keygen -Y verify 2>&1 </dev/null) in
    *'option -- '*) fail 'OpenSSH 8.1 or newer is needed to verify the release (ssh-keygen -Y verify)' ;;
  esac
  sshd='' init=''
  [ -z "$operator" ] || return 0
  for each in /usr/sbin/sshd /usr/local/sbin/sshd /usr/bin/sshd /sbin/sshd; do
    [ -n "$sshd" ] || [ ! -x "$each" ] || sshd=$each
  done
  [ -n "$sshd" ] || fail 'there is no sshd on this host; install openssh-server first'
  init=$(find_init)
  known=$(echo "$INITS" | sed 's/:[^ ]*//g; s/ /, /g')
  [ -n "$init" ] || fail "no init that we know runs here ($known); for an image say --no-start"
}

find_init() {
  for known in $INITS; do
    mark=${known#*:}
    case $mark in
      /*) [ -e "$mark" ] || continue ;;
      *) [ "$(cat /proc/1/comm 2>/dev/null)" = "$mark" ] || continue ;;
    esac
    echo "${known%%:*}"
    return 0
  done
  [ -z "$no_start" ] || echo none
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

# The version that the link leads to; nothing where there is none that starts, or only half a first one.
installed_version() {
  if [ -e "$BEGUN/version" ]; then cat "$BEGUN/version" && return; fi
  if [ ! -L "$LINK" ] || ! "$LINK" --version >/dev/null 2>&1; then return; fi
  target=$(readlink "$LINK")
  target=${target#"$LIB"/}
  echo "${target%%/*}"
}

# Whether version $1 comes after $2 (semver.org, §11): 1.2.0-rc.1 comes before 1.2.0.
is_newer() {
  [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | tr - '~' | sort -V | tail -n 1 | tr '~' -)" = "$1" ]
}

choose_version() {
  asked_version=$version version=${version:-$VERSION}
  case $version in
    *[!0-9A-Za-z.-]* | [!0-9]*) fail "\"$version\" is no version" 2 ;;
  esac
  previous=$(installed_version)
  if [ -z "$asked_version" ] && [ -n "$previous" ] && is_newer "$previous" "$version"; then
    fail "$previous is installed, which is newer than $version; to go back, say --version $version"
  fi
  # What --operator has laid has set up nothing: for the host this is the first install.
  command=''
  if [ -z "$operator" ] && [ ! -e "$RECORD" ]; then command=$previous previous=''; fi
}

choose_place() {
  here='' script=''
  case $0 in
    */install.sh | install.sh)
      [ ! -f "$0" ] || here=$(CDPATH='' cd "${0%install.sh}." && pwd)
      script=${here:+${here%/}/install.sh}
      ;;
  esac
  if [ -n "$download_url" ] || [ -z "$here" ] || [ ! -f "$here/SHA256SUMS" ]; then
    here=''
    download_url=${download_url:-$DOWNLOAD_URL}
    # Without the password that may be in it.
    shown_url=$(echo "${download_url%/}" | sed 's|//[^/]*@|//|')
    case $download_url in
      '' | @*) fail 'say --download-url: the folder that holds the release' 2 ;;
    esac
    has curl || has wget || fail 'curl or wget is needed; install one first'
  fi
}

obtain() {
  if [ -n "$here" ]; then
    cp "$here/$1" "$tmp/$1" || fail "$here/$1 could not be fetched"
    return
  fi
  code=0
  fetch "${download_url%/}/$1" "$tmp/$1" 2>"$tmp/log" || code=$?
  [ "$code" != 0 ] || return 0
  case $code,$(cat "$tmp/log") in
    124,* | *'Operation too slow'* | *'Read error'*'timed out'*)
      fail "$shown_url/$1 stalled, and was given up: run this again, or name another place by --download-url"
      ;;
  esac
  fail "$shown_url/$1 could not be fetched: $(sed '/^Giving up/d;/^ *$/d' "$tmp/log" | tail -n 1)"
}

# Each heeds http_proxy, https_proxy and no_proxy.
fetch() {
  if has curl; then
    curl -fsSL --connect-timeout 20 --speed-limit 1000 --speed-time "$STALL" --retry 2 -o "$2" "$1"
    return
  fi
  case $(wget --version 2>&1) in
    *'GNU Wget'*) LC_ALL=C wget -T "$STALL" -t 3 -O "$2" "$1" ;;
    # Busybox's may have no -T, and Debian's falls over it.
    *) timeout $((STALL * 30)) wget -q -O "$2" "$1" ;;
  esac
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
  # A run that was cut off may have left either.
  rm -rf "$LIB/.unpacked" "$new"
  mkdir "$LIB/.unpacked"
  undo=forget_unpacked
  "$unpack" -dc "$tmp/$archive" | tar -xof - -C "$LIB/.unpacked"
  echo "$wanted_sum" >"$LIB/.unpacked/$NAME-$version/archive.sha256"
  mv "$LIB/.unpacked/$NAME-$version" "$new"
  rmdir "$LIB/.unpacked"
  # What the loader has to say on stderr is not the program's.
  said=$(timeout 60 "$new/$NAME" --version 2>"$tmp/log") || fail "$version does not start here: $(cat "$tmp/log")"
  [ "$said" = "$NAME $version" ] || fail "the archive of $version says that it is \"$said\""
}

# The very build that the signed sums are of.
is_unpacked() { [ "$(cat "$LIB/$version/archive.sha256" 2>/dev/null)" = "$wanted_sum" ]; }

forget_unpacked() {
  rm -rf "$LIB/.unpacked" "$new"
  rmdir "$LIB" 2>/dev/null || :
}

# --- putting it in force ------------------------------------------------------------------------

# From here on a run that is cut off can be told by the next one, which goes back first.
begin() {
  undo=$1
  rm -rf "$BEGUN"
  mkdir "$BEGUN"
  [ ! -e "$CONFIG" ] || cp -p "$CONFIG" "$BEGUN/config"
  echo "$previous" >"$BEGUN/.version" && mv "$BEGUN/.version" "$BEGUN/version"
  point_link "$new"
}

# By rename: at every instant the link leads to one whole version.
point_link() {
  ln -sfn "$1/$NAME" "$LINK.new"
  mv -f "$LINK.new" "$LINK"
}

# Tells with `configure`'s own words and code why it could not be.
configure() {
  code=0
  run_configure ${1+"$@"} >"$tmp/configure" 2>&1 || code=$?
  [ "$code" = 0 ] || fail "$(cat "$tmp/configure")" "$code"
  # What it has to say of the settings, as it wraps it: some of it once, of those that are new.
  [ -n "$noted" ] || noted=$(sed -n '/^note:/p;/^      /p' "$tmp/configure")
}

notes() { [ -z "$noted" ] || printf '%s\n' "$noted"; }

run_configure() {
  # posh takes "$@" for unset where there is nothing in it.
  set -- configure ${1+"$@"} ${no_start:+--no-start} ${resident:+--resident}
  [ -z "$source_url" ] || set -- "$@" --set "source.url=$source_url"
  [ -z "$source_token_file" ] || set -- "$@" --copy "source.token_file=$source_token_file"
  [ -z "$source_ca_file" ] || set -- "$@" --copy "source.ca_file=$source_ca_file"
  [ -z "$signers_file" ] || set -- "$@" --copy "trust.signers_file=$signers_file"
  [ -z "$fingerprint" ] || set -- "$@" --set "trust.fingerprints=$fingerprint"
  [ -z "$accept_from" ] || set -- "$@" --set "sshd.accept_from=$accept_from"
  [ -z "$exempt_from_penalties" ] || set -- "$@" --set "sshd.exempt_from_penalties=$exempt_from_penalties"
  [ -z "$conflict" ] || set -- "$@" --set "sshd.conflict=$conflict"
  [ -z "$webhook_listen" ] || set -- "$@" --set "webhook.listen=$webhook_listen"
  [ -z "$webhook_secret_file" ] || set -- "$@" --copy "webhook.secret_file=$webhook_secret_file"
  timeout 300 "$LINK" "$@"
}

apply() {
  applied=0
  "$LINK" apply >"$tmp/apply" 2>&1 || applied=$?
}

# Where the source is silent, the keys that are held must be in force.
prove() {
  apply
  case $applied in
    0) ;;
    3) "$LINK" repair >>"$tmp/apply" 2>&1 ;;
    *) return 1 ;;
  esac
}

# Each service as its unit confines it. One that serves somebody may stay a while.
prove_units() {
  [ "$init" = systemd ] || return 0
  systemctl start "$NAME-repair.service" && prove_unit "$NAME.service" || return 1
  # Older versions have one service for both.
  [ -e "$new/systemd/$NAME-webhook.service" ] || return 0
  systemctl -q is-active "$NAME-webhook.socket" || return 0
  prove_unit "$NAME-webhook.service"
}

prove_unit() {
  systemctl start "$1" || return 1
  for second in 1 2 3 4 5 6 7 8 9 10; do
    state=$(systemctl is-active "$1") || break
    [ "$state" != active ] || [ "$second" != 5 ] || break
    sleep 1
  done
  case $state in
    failed | activating) return 1 ;;
  esac
}

install_first() {
  # Not where a run before was cut off, or the program was lost: this host may be in use.
  if [ -e "$RECORD" ]; then begin ''; else begin forget_install; fi
  configure --no-start
  undo=''
  say installed "$LIB/$version"
  if [ -n "$no_start" ]; then
    settle && say ready 'it starts at the first boot'
    notes
    return
  fi
  apply
  # What the host or the source is refused for comes first, and is often why a unit fails.
  if [ "$applied" = 0 ]; then
    configure
  else
    run_configure >"$tmp/configure" 2>&1 || fail "$(cat "$tmp/apply" "$tmp/configure")" "$applied"
  fi
  settle
  end_screen
}

forget_install() {
  "$LINK" configure --undo >/dev/null 2>&1 || :
  if [ -n "$command" ]; then
    new=$LIB/$command
    point_link "$new" && settle
    return
  fi
  rm -rf "$LINK" "$LIB"
}

upgrade() {
  begin go_back
  forget_units
  configure --renewed
  if [ -z "$no_start" ] && [ ! -e "$STOOD_DOWN" ]; then
    prove || fail "$version can't prove this host: $(cat "$tmp/apply")"
    prove_units || fail "$version does not run under its units: journalctl -u '$NAME*'"
  fi
  undo=''
  settle
  say upgraded "$previous to $version"
  if [ -e "$STOOD_DOWN" ]; then say rests "until $NAME apply or configure, since it was removed"; return; fi
  [ -n "$no_start" ] || end_screen
}

# The version in $new is the one, and all others go. Node's compile cache is kept by path: what is
# of a version that went is never read again.
settle() {
  rm -f "$BEGUN/version"
  [ -z "$previous" ] || rm -rf "$STATE/compile-cache" "$STATE-daemon/compile-cache"
  # Last what tells that all this is not over.
  for folder in "$LIB"/* "$LIB/.unpacked" "$BEGUN"; do [ "$folder" = "$new" ] || rm -rf "$folder"; done
}

go_back() {
  new=$LIB/$previous
  point_link "$new"
  [ ! -e "$BEGUN/config" ] || cp -p "$BEGUN/config" "$CONFIG"
  forget_units
  back="$previous is in force again"
  if ! "$LINK" configure --renewed ${no_start:+--no-start} >"$tmp/log" 2>&1; then
    back="$previous is installed again and could not be put in force: $(cat "$tmp/log")"
  fi
  settle
  echo "install.sh: $back" >&2
}

# What another version has laid for systemd and the one in $new does not know, which would not take it away.
forget_units() {
  [ "$init" = systemd ] || return 0
  for folder in "$LIB"/[0-9]*; do
    for file in "$folder"/systemd/* "$folder"/systemd/*.d/*; do
      unit=${file#"$folder/systemd/"}
      if [ ! -f "$file" ] || [ -e "$new/systemd/$unit" ]; then continue; fi
      case $unit in
        */*)
          rm -f "/etc/systemd/system/$unit"
          rmdir "/etc/systemd/system/${unit%/*}" 2>/dev/null || :
          ;;
        *)
          systemctl -q disable --now "$unit" 2>/dev/null || :
          rm -rf "/etc/systemd/system/$unit" "/etc/systemd/system/$unit.d"
          ;;
      esac
    done
  done
}

# By rename too, and nothing else: who has only the command has no host to prove.
install_command() {
  undo=''
  point_link "$new"
  settle
  if [ -n "$previous" ]; then say upgraded "$previous to $version"; else say installed "$new"; fi
  command_screen
}

command_screen() {
  echo
  case :$PATH: in
    *:"${LINK%/*}":*) ;;
    *) hint 'Your PATH' "lacks ${LINK%/*}: add it" ;;
  esac
  hint Begin "$NAME bundle --help"
  sudo=''
  if [ "$(id -u)" = 0 ] && has sudo; then sudo='sudo '; fi
  take_off
}

# Nothing is written here but what the flags, an edit or the source have changed.
keep() {
  say kept "$version, which is installed already"
  new=$LIB/$version
  [ ! -e "$BEGUN" ] || settle
  configure
  # The rest of what `configure` says is said below, by `apply`.
  sed -n "s|^  \(/[^ ]*\)\$|  ${bold}changed  ${plain} \1|p;s|^unchanged:|  &|p" "$tmp/configure"
  if [ -n "$no_start" ]; then return; fi
  apply
  end_screen
}

remove_all() {
  if [ ! -L "$LINK" ] && [ ! -d "$LIB" ] && [ ! -e "$RECORD" ]; then
    say unchanged "$NAME is not on this host"
    return
  elif [ -n "$operator" ] && [ -e "$STATE" ]; then
    fail "this machine is a host too: say --uninstall without --operator to take all of it off"
  elif [ -n "$dry_run" ]; then
    say would "take $NAME $(installed_version) off, with all that it made"
    return
  fi
  begin_run
  if [ -n "$operator" ]; then
    rm -rf "$LINK" "$LIB"
    say removed "$LINK"
    return
  fi
  if "$LINK" --version >/dev/null 2>&1; then
    "$LINK" configure --undo || fail "the host could not be put back as it was; mend that and run this again" $?
  elif [ -e "$RECORD" ]; then
    fail "the program in $LIB is broken or gone: run install.sh without --uninstall first, then with it"
  fi
  rm -rf "$LINK" "$LIB"
  say removed "this host is as it was found"
}

# What the host trusts now, and `apply`'s exit code.
end_screen() {
  echo
  cat "$tmp/apply"
  notes
  echo
  sudo=''
  has sudo && sudo='sudo '
  if "$LINK" status >"$tmp/status" 2>&1 && [ "$applied" = 0 ]; then
    hint 'Try it' 'ssh you@ROUTE@YOUR-POMERIUM    (your SSH route, through Pomerium)'
  else
    cat "$tmp/status"
    echo
  fi
  hint Look "$NAME status"
  hint Settings "$CONFIG, then:" "$sudo$NAME configure"
  take_off
  exit "$applied"
}

# Can be pasted: the script's file where it is one, else what is fetched from where the release was.
take_off() {
  if [ -n "$script" ]; then
    hint 'Take it off' "${sudo}sh $(quote "$script") ${operator:+--operator }--uninstall"
  else
    if has curl; then fetcher='curl -fsSL'; else fetcher='wget -qO-'; fi
    hint 'Take it off' "$fetcher $(quote "$shown_url/install.sh") |" "  ${sudo}sh -s -- ${operator:+--operator }--uninstall"
  fi
}

# As a shell reads it.
quote() {
  case $1 in
    *[!A-Za-z0-9:/._~%@+=,-]*) printf "'%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")" ;;
    *) printf %s "$1" ;;
  esac
}

# --- the whole ----------------------------------------------------------------------------------

# One at a time.
begin_run() {
  undo='' tmp='' noted=''
  if [ -z "$dry_run" ]; then
    (umask 077 && : >>"$LOCK")
    exec 9>>"$LOCK"
    # Named twice, because ksh keeps 9 from what it starts; and a lock that was just removed is none.
    if ! flock -n 9 9>&9 || [ ! -e "$LOCK" ]; then
      fail 'another install.sh is at work on this host; run this again when it is done'
    fi
  fi
  trap clean_up 0
  trap 'exit 130' HUP INT TERM
  tmp=$(mktemp -d)
}

clean_up() {
  code=$?
  trap - 0
  trap '' HUP INT TERM
  [ "$code" != 130 ] || echo 'install.sh: interrupted; run it again to finish' >&2
  $undo
  rm -rf "$tmp"
  [ -n "$dry_run" ] || rm -f "$LOCK"
  exit "$code"
}

main() {
  umask 022
  # Each sh that it starts would complain where this folder was deleted.
  env pwd >/dev/null 2>&1 || cd /
  colours
  read_environment
  read_flags ${1+"$@"}
  [ -z "$operator" ] || choose_operators_place
  case $VERSION in
    @*) fail 'this install.sh is not of a release: npm run release makes one' ;;
  esac
  [ ! -e "$PACKAGED" ] || fail "$NAME is here as a package: upgrade and remove it with apt or dnf"
  [ "$(id -u)" = 0 ] || [ -n "$operator" ] || fail 'this needs root: curl … | sudo sh -s -- …'
  # It would be run, and taken away.
  if is_foreign; then fail "$LINK is there and not ours"; fi
  if [ -n "$uninstall" ]; then
    remove_all
    return
  fi
  if [ -n "$operator" ] && [ -e "$RECORD" ]; then
    say kept "$LINK: this machine is a host, and has the command already"
    return
  fi
  check_files
  check_host
  check_tools
  [ -d "${TMPDIR:-/tmp}" ] || fail "there is no folder $TMPDIR, which TMPDIR names"
  check_space "${TMPDIR:-/tmp}" "$TMP_MB"
  begin_run
  choose_version
  choose_place
  [ -e "$CONFIG" ] || [ -n "$source_url$operator" ] || fail 'say --source-url: where your CA keys are published' 2
  check_space "$LIB" "$LIB_MB"
  say checked "$variant${operator:+, the command alone}${init:+, $init, $($sshd -V 2>&1 | sed -n 's/^\(OpenSSH_[^ ,]*\).*/\1/p')}"
  if [ -e "$BEGUN/version" ] && [ -n "$previous" ] && [ -z "$dry_run" ]; then go_back; fi
  verify_release
  say verified "SHA256SUMS of $version, signed"
  if [ "$previous" = "$version" ]; then
    is_unpacked || fail "another build of $version is installed; --uninstall it first"
    if [ -n "$operator" ]; then
      say kept "$version, which is installed already"
      [ -n "$dry_run" ] || command_screen
    elif [ -z "$dry_run" ]; then keep
    else say would "keep $version, and put the flags in force"; fi
    return
  fi
  if [ -n "$dry_run" ]; then
    say would "${previous:+upgrade $previous: }install $archive in $LIB/$version"
    return
  fi
  new=$LIB/$version
  if [ "$command" != "$version" ] || ! is_unpacked; then
    verify_archive
    say verified "$archive"
    unpack_release
  fi
  if [ -n "$operator" ]; then install_command
  elif [ -z "$previous" ]; then install_first
  else upgrade; fi
}

# In braces, so that a cut-off last line is no command either. The rest of a pipe is not read.
{ main ${1+"$@"} </dev/null; }

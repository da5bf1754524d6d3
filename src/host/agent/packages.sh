# Packages of the distribution. apt runs in a process of its own (verb `packages`), so that a connection that is cut never
# ends it halfway. No service of a package is started or stays enabled: what runs is what a release names.

POLICY_MARK='# gofleet: no package starts a service while gofleet installs it'

package_names() {
  while IFS=$TAB read -r _kind _package; do
    [ "$_kind" != package ] || printf '%s ' "$_package"
  done <"$1"
}

# missing_packages NAMES: sets MISSING to those that are not installed, as words.
missing_packages() {
  # shellcheck disable=SC2086 # package names have no white space and no pattern characters
  MISSING=$(dpkg-query -W -f='${db:Status-Abbrev}\t${Package}\n' -- $1 2>/dev/null | NAMES=$1 awk -F '\t' '
    $1 ~ /^.i/ { installed[$2] }
    END {
      n = split(ENVIRON["NAMES"], name, " ")
      for (i = 1; i <= n; i++) if (!(name[i] in installed)) { printf "%s%s", separator, name[i]; separator = " " }
    }')
}

# right_packages MANIFEST: is everything there? One process.
right_packages() {
  [ -z "$ROOT" ] && has "$1" package || return 0
  missing_packages "$(package_names "$1")"
  [ -z "$MISSING" ]
}

# Before anything of the release is placed, for its downloads and units may need them. Ends with 14 or 12.
install_packages() {
  right_packages "$MANIFEST" && return 0
  _names=$MISSING
  command -v apt-get >/dev/null 2>&1 ||
    fail 14 "missing packages: $_names; this host has no apt-get: install what they hold in its own way"
  # The boot service tidies up after a power cut.
  [ -z "$SYSTEMD" ] || install_boot || fail 12 "the boot service could not be installed"
  emit package msg "installing $_names"
  printf '%s\n' "$_names" >"$RUN/wanted" || fail 12 "$RUN cannot be written: no space or read-only"
  run_installer
  [ ! -s "$RUN/added" ] || emit package msg "installed $(cat "$RUN/added")"
  missing_packages "$_names"
  [ -z "$MISSING" ] || packages_failed
}

# A signal that ends this process now must not take away what the installer needs to finish and to remember.
run_installer() {
  _first=$FIRST
  FIRST=
  setsid sh "$RUN/agent" packages "$RUN" </dev/null >"$RUN/apt" 2>&1 &
  wait "$!"
  [ -f "$RUN/packages" ] || with_packages_lock tidy_packages >>"$RUN/apt" 2>&1
  FIRST=$_first
}

packages_failed() {
  _said=$(grep -v '^[[:space:]]*$' "$RUN/apt" | tail -n 40 | sed 's|://[^/@ ]*@|://|g')
  say_output "$_said"
  _why=$(printf '%s\n' "$_said" | tail -n 8 | tail -c 1500)
  _do="install it by hand (apt-get install $MISSING), then run again"
  case $_why in
    *'No space left'* | *'enough free space'* | *'Read-only file system'*) fail 12 "packages $MISSING: $_why" ;;
    *'Could not get lock'* | *'Unable to acquire'* | *'gofleet: waited'*)
      _do='wait for the other package operation to end, then run again' ;;
    *'was interrupted'* | *'dpkg: error'*) _do='run dpkg --configure -a on the host, then run again' ;;
    *'Unable to locate package'* | *'no installation candidate'*)
      _do="correct the name, or give the host a repository that has it and that it can reach" ;;
    *'Could not resolve'* | *'Could not connect'* | *'Failed to fetch'* | *'Unable to connect'*)
      _do="give the host a repository that it can reach, or $_do" ;;
  esac
  fail 14 "packages $MISSING could not be installed: $_why; to do: $_do"
}

# `packages`: the installer. RUN/packages says that it came to its end.
verb_packages() {
  ECHO=
  RUN=$UPLOAD
  set_paths
  set_component "$COMPONENT"
  read -r _wanted <"$RUN/wanted" || exit 12
  with_packages_lock install_wanted
  printf '%s\n' "$?" >"$RUN/packages"
  exit 0
}

# with_packages_lock COMMAND: one installation at a time. Whatever apt starts holds the lock as well, so that nothing is
# tidied up while an orphan of a dead installer still works.
with_packages_lock() {
  (
    _left=$(seconds_left)
    exec 8>>"$HOST_RUN/packages.lock" || exit 12
    flock -w "$_left" 8 || {
      echo "gofleet: waited $_left s for another installation on this host"
      exit 16
    }
    "$1"
  )
}

install_wanted() {
  deny_services || return 12
  finish_installations
  missing_packages "$_wanted"
  PACKAGES=$MISSING
  if [ -n "$PACKAGES" ] && fetch_packages; then
    # What apt says it would unpack or configure, but for what is there and only gets newer.
    missing_packages "$(apt_get 60 --simulate install | awk '$1 == "Inst" || $1 == "Conf" { print $2 }' | sort -u | tr '\n' ' ')"
    printf '%s\n' "$MISSING" | write_file "$VAR/packages.coming" && apt_get 0 install
    finish_installations
  fi
  allow_services
}

# What is fetched is fetched while there is time; what dpkg does with it then is never interrupted.
fetch_packages() {
  apt_get "$(seconds_left)" --download-only install && return 0
  ! tail -n 3 -- "$RUN/apt" | grep -q 'lock\|interrupted' || return 1
  echo 'gofleet: once more, with fresh lists of packages'
  apt_get "$(seconds_left)" update && apt_get "$(seconds_left)" --download-only install
}

# apt_get SECONDS OPTION… COMMAND: 0 seconds: without end. Asks nothing, removes nothing, restarts nothing.
apt_get() {
  _limit=$1
  shift
  # shellcheck disable=SC2086 # package names have no white space and no pattern characters
  case $* in *install) set -- "$@" $PACKAGES ;; esac
  [ "$_limit" -ge 0 ] || { echo 'gofleet: no time left'; return 1; }
  # Others that hold dpkg are waited for, but not longer than there is time.
  _wait=$(seconds_left)
  [ "$_wait" -le "$LOCKWAIT" ] || _wait=$LOCKWAIT
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1 timeout "$_limit" apt-get -y -qq \
    -o "DPkg::Lock::Timeout=$_wait" -o Acquire::Retries=1 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold --no-install-recommends --no-remove "$@"
}

# Where no policy says which services packages may start, one says none.
deny_services() {
  [ ! -e "$ROOT/usr/sbin/policy-rc.d" ] || return 0
  printf '%s\n' '#!/bin/sh' "$POLICY_MARK" 'exit 101' | write_file "$ROOT/usr/sbin/policy-rc.d" &&
    chmod 0755 -- "$ROOT/usr/sbin/policy-rc.d"
}

allow_services() {
  ! grep -qsxF -- "$POLICY_MARK" "$ROOT/usr/sbin/policy-rc.d" || rm -f -- "$ROOT/usr/sbin/policy-rc.d"
}

# Is there one that has not ended, or whose process died?
installation_begun() {
  for _coming in "$HOST_VAR"/*/packages.coming; do
    [ ! -f "$_coming" ] || return 0
  done
  return 1
}

tidy_packages() {
  ! installation_begun || { deny_services && finish_installations; }
  allow_services
}

# The end of every installation that was begun, whichever component's, also one whose process died: what came with it is
# remembered, and none of it starts. At boot dpkg is not woken: the next run does that.
finish_installations() {
  for _coming in "$HOST_VAR"/*/packages.coming; do
    [ -f "$_coming" ] || continue
    if [ "$VERB" != boot ] && [ -n "$(ls -A "$ROOT/var/lib/dpkg/updates" 2>/dev/null)" ]; then
      DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a
    fi
    read -r _names <"$_coming"
    missing_packages "$_names"
    _added=
    for _package in $_names; do
      case " $MISSING " in *" $_package "*) ;; *) _added="$_added${_added:+ }$_package" ;; esac
    done
    if [ -n "$_added" ]; then
      still_services "$_added"
      { cat -- "${_coming%.coming}" 2>/dev/null; printf '%s\n' "$_added" | tr ' ' '\n'; } | sort -u |
        write_file "${_coming%.coming}"
      [ "$_coming" != "$VAR/packages.coming" ] || [ ! -d "$RUN" ] || printf '%s\n' "$_added" >"$RUN/added"
    fi
    [ "$VERB" = boot ] || rm -f -- "$_coming"
  done
}

# still_services PACKAGES: their units are neither enabled nor running. A policy of the host's own may have let them start.
still_services() {
  [ -n "$SYSTEMD" ] || return 0
  # shellcheck disable=SC2086 # package names have no white space and no pattern characters
  _units=$(dpkg -L $1 2>/dev/null | sed -n '
    \|@\.|d
    s|^\(/usr\)\{0,1\}/lib/systemd/system/\([^/]*\.[a-z]*\)$|\2|p
    s|^/etc/init\.d/\([^/]*\)$|\1.service|p' | sort -u)
  for _unit in $_units; do
    # shellcheck disable=SC2086 # empty, or one option
    case $(systemctl is-enabled -- "$_unit" 2>/dev/null) in enabled*) systemctl $NO_BLOCK disable -- "$_unit" ;; esac
    # shellcheck disable=SC2086 # as above
    ! systemctl --quiet is-active -- "$_unit" || systemctl $NO_BLOCK stop -- "$_unit"
  done
}

# Sets KEPT to the packages that the component brought, as words: they stay when it goes.
packages_kept() {
  KEPT=
  [ ! -s "${VAR:-}/packages" ] || KEPT=$(tr '\n' ' ' <"$VAR/packages")
  KEPT=${KEPT% }
}

# What an installer that died has left, unless another one is at work.
sweep_packages() {
  [ -e "$ROOT/usr/sbin/policy-rc.d" ] || installation_begun || return 0
  (exec 8>>"$HOST_RUN/packages.lock" && flock -n 8 && tidy_packages) >/dev/null 2>&1 </dev/null 9>&-
}

# Who this host is, and whether the agent may work on it.

# Sets FACT_* and prints them. `systemd` is 0 where systemd does not run or must not be used.
facts() {
  FACT_OS=unknown FACT_VERSION='' FACT_SYSTEMD=0 FACT_SELINUX=disabled
  if [ -r /etc/os-release ]; then
    while IFS='=' read -r key value; do
      value=${value#\"}
      case $key in
        ID) FACT_OS=${value%\"} ;;
        VERSION_ID) FACT_VERSION=${value%\"} ;;
      esac
    done </etc/os-release
  fi
  read -r FACT_KERNEL </proc/sys/kernel/osrelease
  # Newer kernels tell the machine without a process.
  if [ -r /proc/sys/kernel/arch ]; then read -r FACT_ARCH </proc/sys/kernel/arch; else FACT_ARCH=$(uname -m); fi
  case $FACT_ARCH in
    x86_64) FACT_ARCH=amd64 ;;
    aarch64) FACT_ARCH=arm64 ;;
  esac
  FACT_USER=root
  is_root || FACT_USER=$(id -un)
  [ -z "$SYSTEMD" ] || systemd_version
  if [ -r /sys/fs/selinux/enforce ]; then
    read -r FACT_SELINUX </sys/fs/selinux/enforce
    case $FACT_SELINUX in 1) FACT_SELINUX=enforcing ;; *) FACT_SELINUX=permissive ;; esac
  fi
  emit facts machine "$FACT_MACHINE" os "$FACT_OS" version "$FACT_VERSION" arch "$FACT_ARCH" \
    :systemd "$FACT_SYSTEMD" selinux "$FACT_SELINUX" kernel "$FACT_KERNEL" user "$FACT_USER"
}

is_root() {
  while read -r _key _uid _rest; do
    [ "$_key" != Uid: ] || break
  done </proc/self/status
  [ "$_uid" = 0 ]
}

# systemd's own library carries the version in its name, which costs no process.
systemd_version() {
  for _library in /usr/lib/*/systemd/libsystemd-shared-*.so /usr/lib/systemd/libsystemd-shared-*.so; do
    [ -e "$_library" ] || continue
    FACT_SYSTEMD=${_library##*libsystemd-shared-}
    FACT_SYSTEMD=${FACT_SYSTEMD%%[!0-9]*}
    break
  done
  [ "${FACT_SYSTEMD:-0}" = 0 ] || return 0
  FACT_SYSTEMD=$(systemctl --version 2>/dev/null)
  FACT_SYSTEMD=${FACT_SYSTEMD#systemd }
  FACT_SYSTEMD=${FACT_SYSTEMD%%[!0-9]*}
  FACT_SYSTEMD=${FACT_SYSTEMD:-0}
}

# Ends with 14 where the agent could not do its work. Under a root the operating system does not matter.
preflight() {
  missing_tools
  [ -z "$MISSING" ] || fail 14 "missing:$MISSING"
  case $FACT_ARCH in amd64 | arm64) ;; *) fail 14 "architecture $FACT_ARCH is not supported; wanted: amd64 or arm64" ;; esac
  [ -z "$ROOT" ] || return 0
  is_root || fail 14 "user $FACT_USER cannot change this host; wanted: root, or another user with become"
  [ "$UNSUPPORTED" != allow ] || return 0
  case $FACT_OS-$FACT_VERSION in
    debian-12 | debian-13 | ubuntu-22.04 | ubuntu-24.04) ;;
    *) fail 14 "$FACT_OS $FACT_VERSION is not supported; wanted: Debian 12 or 13, Ubuntu 22.04 or 24.04" ;;
  esac
  [ -z "$SYSTEMD" ] || [ "$FACT_SYSTEMD" -ge 249 ] ||
    fail 14 "systemd $FACT_SYSTEMD is not supported; wanted: 249 or newer"
  [ "$FACT_SELINUX" != enforcing ] ||
    fail 14 "SELinux is enforcing and the agent sets no labels; wanted: permissive or disabled"
}

# Sets MISSING: each tool that is not there, with the package that has it.
missing_tools() {
  MISSING=
  for _tool in awk:mawk find:findutils xargs:findutils tar:tar gzip:gzip flock:util-linux setsid:util-linux \
    grep:grep base64:coreutils od:coreutils sha256sum:coreutils sort:coreutils stat:coreutils \
    timeout:coreutils mktemp:coreutils; do
    command -v "${_tool%:*}" >/dev/null 2>&1 || MISSING="$MISSING ${_tool%:*} (install ${_tool#*:})"
  done
}

# Ends with 19 on another machine than the one the operator knows under this name.
check_machine() {
  [ -n "$MACHINE" ] && [ "$NEWMACHINE" != install ] && [ "$MACHINE" != "$FACT_MACHINE" ] || return 0
  fail 19 "this is machine $FACT_MACHINE; the state knows machine $MACHINE under this name"
}

# `facts`: identity and pre-flight only.
verb_facts() {
  [ -z "$COMPONENT" ] || set_component "$COMPONENT"
  FROM=${CURRENT:-} TO=${CURRENT:-}
  facts
  preflight
  check_machine
  finish 0 ok "this host can take releases"
}

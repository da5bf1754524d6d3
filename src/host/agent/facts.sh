# Who this host is, and whether the agent may work on it.

# Sets FACT_* and prints them. `systemd` is 0 where systemd does not run or must not be used.
facts() {
  FACT_OS=unknown FACT_VERSION='' FACT_SYSTEMD=0 FACT_SELINUX=disabled FACT_MACHINE=''
  [ ! -r /etc/machine-id ] || read -r FACT_MACHINE </etc/machine-id
  if [ -r /etc/os-release ]; then
    while IFS='=' read -r key value; do
      value=${value#\"}
      case $key in
        ID) FACT_OS=${value%\"} ;;
        VERSION_ID) FACT_VERSION=${value%\"} ;;
      esac
    done </etc/os-release
  fi
  FACT_KERNEL=$(uname -rm)
  case ${FACT_KERNEL##* } in
    x86_64) FACT_ARCH=amd64 ;;
    aarch64) FACT_ARCH=arm64 ;;
    *) FACT_ARCH=${FACT_KERNEL##* } ;;
  esac
  FACT_KERNEL=${FACT_KERNEL% *}
  FACT_USER=$(id -un)
  if [ -n "$SYSTEMD" ]; then
    FACT_SYSTEMD=$(systemctl --version 2>/dev/null)
    FACT_SYSTEMD=${FACT_SYSTEMD#systemd }
    FACT_SYSTEMD=${FACT_SYSTEMD%%[!0-9]*}
    FACT_SYSTEMD=${FACT_SYSTEMD:-0}
  fi
  if [ -r /sys/fs/selinux/enforce ]; then
    read -r FACT_SELINUX </sys/fs/selinux/enforce
    case $FACT_SELINUX in 1) FACT_SELINUX=enforcing ;; *) FACT_SELINUX=permissive ;; esac
  fi
  emit facts machine "$FACT_MACHINE" os "$FACT_OS" version "$FACT_VERSION" arch "$FACT_ARCH" \
    :systemd "$FACT_SYSTEMD" selinux "$FACT_SELINUX" kernel "$FACT_KERNEL" user "$FACT_USER"
}

# Ends with 14 where the agent could not do its work. Under a root the operating system does not matter.
preflight() {
  missing_tools
  [ -z "$MISSING" ] || fail 14 "missing:$MISSING"
  case $FACT_ARCH in amd64 | arm64) ;; *) fail 14 "architecture $FACT_ARCH is not supported; wanted: amd64 or arm64" ;; esac
  [ -z "$ROOT" ] || return 0
  [ "$(id -u)" = 0 ] || fail 14 "user $FACT_USER cannot change this host; wanted: root, or another user with become"
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

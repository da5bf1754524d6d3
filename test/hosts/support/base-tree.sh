#!/bin/sh
# Builds the tree that every test host starts from: Debian 12 with systemd as PID 1 and sshd, as a plain server has
# them. Usage: base-tree.sh DIRECTORY, or base-tree.sh --mirrors to print where it would come from: the Debian mirrors
# of this machine's own apt, or GOFLEET_HOSTS_MIRROR (lines of apt's "deb …" form).
set -eu

target=$1
suite=bookworm
packages=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,sudo,cron,logrotate,nftables,iproute2,procps
packages=$packages,ca-certificates,curl,unzip,python3

mirrors() {
  if [ -n "${GOFLEET_HOSTS_MIRROR:-}" ]; then
    printf '%s\n' "$GOFLEET_HOSTS_MIRROR"
    return
  fi
  # What apt is configured with, whether or not it has been updated: "URI URI SUITE/COMPONENT ARCHITECTURE Packages".
  # shellcheck disable=SC2016 # apt expands these, not the shell
  apt-get indextargets --no-release-info --format '$(REPO_URI) $(DESCRIPTION)' 'Identifier: Packages' |
    awk -v suite="$suite" '$3 ~ "^" suite "(-updates|-security)?/main$" { sub("/", " ", $3); print "deb", $1, $3 }' |
    sort -u
}

list=$(mirrors)
if [ -z "$list" ]; then
  echo "base-tree.sh: this machine's apt names no mirror of Debian $suite; set GOFLEET_HOSTS_MIRROR" >&2
  exit 3
fi
if [ "$target" = --mirrors ]; then
  printf '%s\n' "$list"
  exit
fi
if [ -e "$target" ]; then
  echo "base-tree.sh: $target exists already; name a directory that does not" >&2
  exit 2
fi

# $1 in the hooks is the new root. Identity (host name, machine-id, host keys) is each host's own, never the tree's.
# shellcheck disable=SC2016
printf '%s\n' "$list" | mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash fleet' \
  --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash --groups sudo secure' \
  --customize-hook='echo "fleet ALL=(ALL) NOPASSWD: ALL" >"$1/etc/sudoers.d/fleet" && chmod 440 "$1/etc/sudoers.d/fleet"' \
  --customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd.service' \
  --customize-hook='chroot "$1" systemctl --quiet disable systemd-networkd-wait-online.service' \
  --customize-hook='chroot "$1" systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_*_key "$1"/etc/ssh/ssh_host_*_key.pub' \
  --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" && : >"$1/etc/machine-id"' \
  "$suite" "$target" -

#!/bin/sh
# A flat apt repository of Debian packages, with what they need besides the base tree: for hosts that reach no mirror.
# Usage: packages.sh DIRECTORY BASE PACKAGE…
set -eu

target=$1
base=$2
shift 2

work=$(mktemp -d)
cleanup() {
  for point in root disk; do
    ! mountpoint -q "$work/$point" || umount "$work/$point"
  done
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
mkdir "$work/root" "$work/disk"
mount -t tmpfs tmpfs "$work/disk"
mkdir "$work/disk/upper" "$work/disk/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/disk/upper,workdir=$work/disk/work" "$work/root"
rm -f "$work/root/etc/resolv.conf"
cp /etc/resolv.conf "$work/root/etc/resolv.conf"
# Where the packages come from is this machine's business: its own settings of apt hold in the tree as well.
for settings in /etc/apt/apt.conf /etc/apt/apt.conf.d; do
  [ ! -e "$settings" ] || cp -rn "$settings" "$work/root/etc/apt/"
done
chroot "$work/root" apt-get -qq update
chroot "$work/root" apt-get -qq install --download-only --yes --no-install-recommends "$@" >/dev/null
mkdir -p "$target"
cp "$work/root/var/cache/apt/archives/"*.deb "$target/"
cd "$target"
for package in *.deb; do
  dpkg-deb -f "$package"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$package" "$(stat -c %s "$package")" "$(sha256sum "$package" | cut -d' ' -f1)"
done >Packages

#!/bin/sh
# Unpacks Debian's kernel for virtual machines, without installing it on this machine: DIRECTORY/boot/vmlinuz-* and the
# modules that are not built in and a test host needs: virtio's network, overlays, nftables. Usage: kernel-tree.sh DIRECTORY
set -eu

here=$(dirname "$0")
sh "$here/base-tree.sh" --mirrors | mmdebstrap --quiet --mode=root --variant=extract \
  --include=linux-image-cloud-amd64,kmod bookworm "$1" -
version=$(ls "$1/lib/modules")
find "$1/lib/modules/$version/kernel" -type f ! -name 'virtio*.ko' ! -name '*failover.ko' ! -name overlay.ko \
  ! -name libcrc32c.ko ! -path '*/netfilter/*' -delete
find "$1/lib/modules/$version/kernel" -type d -empty -delete
chroot "$1" /sbin/depmod "$version"

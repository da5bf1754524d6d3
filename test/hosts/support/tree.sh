#!/bin/sh
# The file system of one test host: a writable layer over the shared base tree.
# Usage: tree.sh make DIRECTORY BASE [SIZE] | tree.sh remove DIRECTORY
# The tree is DIRECTORY/root. With SIZE (as truncate takes it, "400M") all that the host writes must fit into it.
set -eu

make() {
  mkdir -p "$1/root" "$1/disk"
  if [ -n "$3" ]; then
    truncate -s "$3" "$1/disk.img"
    mkfs.ext4 -q -m 0 "$1/disk.img"
    mount -o loop "$1/disk.img" "$1/disk"
  fi
  mkdir "$1/disk/upper" "$1/disk/work"
  # redirect_dir: directories of the base can be renamed, as on any file system.
  if ! mount -t overlay overlay -o "redirect_dir=on,lowerdir=$2,upperdir=$1/disk/upper,workdir=$1/disk/work" "$1/root"; then
    if [ -n "$3" ]; then
      echo "tree.sh: a disk of limited size needs overlayfs, which this machine refuses" >&2
      return 1
    fi
    cp -a --reflink=auto "$2/." "$1/root"
  fi
}

remove() {
  for point in root disk; do
    if mountpoint -q "$1/$point"; then umount "$1/$point"; fi
  done
  rm -rf --one-file-system "$1"
}

case $1 in
make) make "$2" "$3" "${4:-}" ;;
remove) remove "$2" ;;
*)
  echo "tree.sh: unknown verb '$1'; use make DIRECTORY BASE [SIZE], or remove DIRECTORY" >&2
  exit 2
  ;;
esac

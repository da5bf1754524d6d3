#!/bin/sh
# Makes the disk of a virtual machine from a tree. Usage: disk.sh ROOT KERNEL_TREE IMAGE SIZE (as truncate takes it)
set -eu

cp -a "$2"/lib/modules "$1/usr/lib/"
truncate -s "$4" "$3"
mke2fs -q -t ext4 -d "$1" "$3"

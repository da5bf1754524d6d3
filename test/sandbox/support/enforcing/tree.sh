#!/bin/sh
# Makes a Debian tree that holds the files of a sandbox's plan one that can run it without ever being installed: drivers at
# boot, for it has nothing that loads them when they are wanted; AppArmor's own settings; the users; Go; programs to attack
# with, and what they attack. Usage: tree.sh ROOT GOROOT ATTEMPTS (the built program)
set -eu
cd "$1"
goroot=usr/local/lib/gofleet/go/tree
modules=var/cache/gofleet-ci/modules/example.com/m@v1.0.0

printf '%s\n' overlay nf_tables nft_limit nft_log nft_objref nft_reject_inet nf_log_syslog >etc/modules-load.d/sandbox.conf
mkdir -p etc/apparmor etc/apparmor.d
cp /etc/apparmor/parser.conf etc/apparmor/
cp -rL /etc/apparmor.d/abi /etc/apparmor.d/abstractions /etc/apparmor.d/tunables etc/apparmor.d/

# Without what no build of a module reads.
mkdir -p "$goroot" etc/gofleet/go
tar -C "$2" -cf - --exclude=./src/cmd --exclude='*_test.go' --exclude=testdata \
  ./VERSION ./go.env ./bin ./src ./pkg/include ./pkg/tool | tar -C "$goroot" --no-same-owner -xf -
ln -s "/$goroot" etc/gofleet/go/goroot

chroot . systemd-sysusers /etc/sysusers.d/gofleet-ci.conf
cp "$3" usr/local/bin/attempts
cp "$3" usr/bin/odd
chmod 4755 usr/bin/odd
mkdir -p srv/queue srv/mine srv/open "$modules"
chmod 777 srv/open
echo mine >srv/mine/file
echo 'package m' >"$modules/m.go"
chroot . chown -R gofleet-ci-1:gofleet-ci /srv/mine
chroot . chown -R gofleet-ci-mod: /var/cache/gofleet-ci/modules

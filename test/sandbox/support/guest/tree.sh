#!/bin/sh
# Fills DIRECTORY with the smallest system that enforces AppArmor profiles and builds Go: busybox, apparmor_parser, Go, and
# two slots with something in each. Usage: tree.sh DIRECTORY GOROOT MODULES ATTEMPTS (the built program)
set -eu

tree=$1
goroot=/usr/local/lib/gofleet/go/tree
slots=var/lib/gofleet-ci/slots
caches=var/cache/gofleet-ci

mkdir -p "$tree" && cd "$tree"
mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc/apparmor.d dev proc sys run/gofleet-ci tmp var/tmp srv/mine srv/open
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
chmod 1777 tmp var/tmp
chmod 777 srv/open

# Programs with the libraries they need.
for program in busybox apparmor_parser; do
  file=$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")
  cp -L "$file" "usr/bin/$program"
  { ldd "$file" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p ".$(dirname "$library")"
    [ -e ".$library" ] || cp -L "$library" ".$library"
  done
done
for name in $(usr/bin/busybox --list); do [ -e "usr/bin/$name" ] || ln -s busybox "usr/bin/$name"; done
cp -rL /etc/apparmor.d/abi etc/apparmor.d/
mkdir etc/apparmor && touch etc/apparmor/parser.conf

# Without what no build of a module reads.
mkdir -p ".$goroot"
tar -C "$2" -cf - --exclude=./src/cmd --exclude='*_test.go' --exclude=testdata \
  ./VERSION ./go.env ./bin ./src ./pkg/include ./pkg/tool | tar -C ".$goroot" -xf -
overlay=$(find "$3/usr/lib/modules" "$3/lib/modules" -name overlay.ko 2>/dev/null | head -n 1)
cp "$overlay" usr/lib/overlay.ko

for name in attempts su odd; do cp "$4" "usr/bin/$name"; done
chmod 4755 usr/bin/su usr/bin/odd

printf 'root:x:0:0::/:/bin/sh\nslot-1:x:1001:1001::/:/bin/false\nslot-2:x:1002:1001::/:/bin/false\n' >etc/passwd
printf 'root:x:0:\nslots:x:1001:\n' >etc/group
printf 'root:!:1::::::\n' >etc/shadow
chmod 640 etc/shadow
touch run/gofleet-ci/jobs.lock.1 run/gofleet-ci/jobs.lock.2

# Counting its own use would take go a second process.
mkdir -p $slots/1/home/.config/go/telemetry
echo off >$slots/1/home/.config/go/telemetry/mode
# Modes of files let the neighbour in, so that only the profile keeps it out.
mkdir -p $slots/1/work/mnt $slots/1/gotmp $slots/1/home $slots/1/inputs/data $slots/2/work
echo input >$slots/1/inputs/data/file
echo secret >$slots/2/work/secret
chmod 777 $slots/2/work
chmod 666 $slots/2/work/secret
echo mine >srv/mine/file
mkdir -p $slots/1/work/hello $caches/modules/example.com/m@v1.0.0 $caches/slots/1/build $caches/slots/1/modules $caches/layer/up $caches/layer/work
printf 'module example.com/hello\n\ngo 1.21\n' >$slots/1/work/hello/go.mod
printf 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("built here\\n") }\n' >$slots/1/work/hello/main.go
echo 'package m' >$caches/modules/example.com/m@v1.0.0/m.go
chmod -R a+rwX $caches/modules

chown -R 1001:1001 $slots/1 srv/mine $caches/slots/1 $caches/layer
chown -R 0:0 $slots/1/inputs
chown -R 1002:1001 $slots/2

# Go opens it for each program that it runs.
mknod -m 666 dev/null c 1 3
# A warm cache, made by the same toolchain at the same path.
chroot . /usr/bin/attempts as - 1001 /bin/sh -c "cd /$slots/1/work/hello && \
  GOROOT=$goroot HOME=/$slots/1/home GOCACHE=/$caches/slots/1/build GOTMPDIR=/$slots/1/gotmp GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0 \
  $goroot/bin/go build -o /$slots/1/gotmp/hello . && rm /$slots/1/gotmp/hello"

# The canary's own paths, as its program makes them: beside the slot's.
for path in $slots $caches/slots; do cp -a "$path/1" "$path/canary1"; done

#!/bin/sh
# The first process of the virtual machine. What it prints is cut at lines that begin with "===".
export PATH=/usr/sbin:/usr/bin
slot=/var/lib/gofleet-ci/slots/1
canary=/var/lib/gofleet-ci/slots/canary1
cache=/var/cache/gofleet-ci
export GOROOT=/usr/local/lib/gofleet/go/tree HOME=$slot/home TMPDIR=$slot/tmp GOTMPDIR=$slot/gotmp \
  GOCACHE=$cache/slots/1/build GOMODCACHE=$cache/slots/1/modules GOPROXY=off GOTOOLCHAIN=local CGO_ENABLED=0

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t securityfs securityfs /sys/kernel/security
# Every denial is wanted, not ten in five seconds.
echo 0 >/proc/sys/kernel/printk_ratelimit
ip link set lo up
insmod /usr/lib/overlay.ko
mount -t overlay overlay -o "lowerdir=$cache/modules,upperdir=$cache/layer/up,workdir=$cache/layer/work" $cache/slots/1/modules
chown 1001:1001 $cache/slots/1/modules

sleep 1000 &
export OTHER=$!
attempts as - 1001 /bin/sleep 1000 &
export SAME=$!

# attempts_as PROFILE: the lists of attempts of root and of the slot's user, then what the kernel said.
attempts_as() {
  dmesg -c >/dev/null
  echo "=== $1 root"
  # shellcheck disable=SC2046 # words
  attempts as "$2" 0 /usr/bin/attempts try $(cat /attempts-root)
  echo "=== $1 slot"
  # shellcheck disable=SC2046 # words
  attempts as "$2" 1001 /usr/bin/attempts try $(cat /attempts-slot)
  echo "=== $1 log"
  dmesg -c
}

# The firmware leaves its last line open.
echo
attempts_as control -

echo "=== load"
sh /etc/gofleet/ci/apparmor load 2>&1 && cat /sys/kernel/security/apparmor/profiles
attempts_as enforce gofleet-ci-1

echo "=== build"
cd $slot/work/hello || exit
# shellcheck disable=SC2016 # for the shell in the slot
attempts as gofleet-ci-1 1001 /bin/sh -c 'cat /proc/self/attr/current; "$GOROOT/bin/go" run .' 2>&1
echo "=== build log"
dmesg -c

echo "=== canary"
cd $canary/work/hello || exit
sh /etc/gofleet/ci/apparmor load-canary 2>&1 && cat /sys/kernel/security/apparmor/profiles
echo "=== canary build"
# shellcheck disable=SC2016 # for the shell of the canary
HOME=$canary/home TMPDIR=$canary/tmp GOTMPDIR=$canary/gotmp GOCACHE=$cache/slots/canary1/build GOMODCACHE=$cache/slots/canary1/modules \
  attempts as gofleet-ci-canary1 1001 /bin/sh -c 'cat /proc/self/attr/current; "$GOROOT/bin/go" run .' 2>&1
echo "=== canary build log"
dmesg -c
echo "=== canary out"
attempts as gofleet-ci-canary1 1001 /usr/bin/attempts try own-file neighbour-file same-user-memory setuid-program
echo "=== canary out log"
dmesg -c
echo "=== canary staged"
# The other mode's rules are those of a staged tree; the one that denies such programs outright is not among them.
sh /etc/gofleet/ci/apparmor load-canary /complain 2>&1 && cat /sys/kernel/security/apparmor/profiles
attempts as gofleet-ci-canary1 1001 /usr/bin/attempts try setuid-program
dmesg -c >/dev/null
echo "=== no canary"
sh /etc/gofleet/ci/apparmor unload-canary 2>&1 && sh /etc/gofleet/ci/apparmor unload-canary 2>&1 &&
  cat /sys/kernel/security/apparmor/profiles
cd /

echo "=== load-complain"
mv /complain/etc/apparmor.d/gofleet-ci /etc/apparmor.d/gofleet-ci
mv /complain/etc/apparmor.d/gofleet-ci.d/common /etc/apparmor.d/gofleet-ci.d/common
sh /etc/gofleet/ci/apparmor load 2>&1 && cat /sys/kernel/security/apparmor/profiles
attempts_as complain gofleet-ci-1

echo "=== fewer"
sed -i 's/^wanted=.*/wanted=" gofleet-ci-1 "/' /etc/gofleet/ci/apparmor
sh /etc/gofleet/ci/apparmor load 2>&1 && cat /sys/kernel/security/apparmor/profiles
echo "=== unload"
sh /etc/gofleet/ci/apparmor unload 2>&1 && cat /sys/kernel/security/apparmor/profiles
echo "=== end"
poweroff -f

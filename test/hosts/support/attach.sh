#!/bin/sh
# QEMU runs this when it has made a virtual machine's network device. Usage: GOFLEET_BRIDGE=BRIDGE attach.sh DEVICE
exec ip link set "$1" master "$GOFLEET_BRIDGE" up

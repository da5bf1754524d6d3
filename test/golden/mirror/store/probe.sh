#!/bin/sh
set -eu
systemctl start gofleet-goproxy-store.service
runuser -u gofleet-goproxy -- /usr/local/lib/gofleet/goproxy/store-824d80d71985-b6476d2e/bin/gofleet-store ready -config /etc/gofleet/goproxy/store.json || [ $? -eq 3 ]

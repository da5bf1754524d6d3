import type { Acme } from "../../model/mirror/front-acme";
import type { AbsolutePath, UnitName } from "../../model/names";
import { MARKER } from "../marker";
import { command, quote } from "../shell";

/** Where a front's ACME client has its things, and what it is for. */
export interface AcmePlaces {
  readonly domain: string;
  /** The client's account, certificates as it gets them, and its log; root's alone. */
  readonly client: AbsolutePath;
  /** Below it are the answers to challenges. */
  readonly challenges: AbsolutePath;
  /** Name of the certificate: one for each domain, ACME server and type of key. */
  readonly certificate: string;
  /** Pairs of chain and key as nginx reads them; `current` is the one that counts. */
  readonly pairs: AbsolutePath;
  /** Ask for a new certificate at the next run, whatever time is left of this one. */
  readonly request: AbsolutePath;
  /** The private server's CA; where it has one. */
  readonly ca: AbsolutePath;
  readonly front: UnitName;
}

/**
 * The script that gets a front's certificate with certbot, checks it and gives it to nginx. Whether one is due is decided
 * here and not by certbot: releases come and go without a question to the ACME server, whose limits are narrow, and
 * certificates of any lifetime are renewed in time. The options are those of certbot 1.21 and newer. See
 * https://letsencrypt.org/docs/rate-limits/ and https://eff-certbot.readthedocs.io/.
 */
export function acmeScript(acme: Acme, places: AcmePlaces): string {
  return `#!/bin/sh
${MARKER}
#
# prepare   nginx has a pair of chain and key to start with: the one of before, or one that the host signs itself
# renew     gets a certificate if there is none, if it is asked for, or if less than a third of its time is left
# deploy    gives what was got to nginx, if it is good
# served    says whether what nginx has is from the ACME server, and valid
set -eu
umask 077

domain=${quote(places.domain)}
name=${quote(places.certificate)}
client=${quote(places.client)}
challenges=${quote(places.challenges)}
pairs=${quote(places.pairs)}
request=${quote(places.request)}
live=$client/config/live/$name

fail() { printf '%s\\n' "$*" >&2; exit 1; }

# is_pair CHAIN KEY
is_pair() {
  [ -s "$1" ] && [ -s "$2" ] && public=$(openssl x509 -in "$1" -noout -pubkey) &&
    [ "$public" = "$(openssl pkey -in "$2" -pubout)" ]
}

# Seconds since 1970 of a certificate's startdate or enddate.
seconds() { date -d "$(openssl x509 -in "$1" -noout "-$2" | sed 's/^[^=]*=//')" +%s; }

# put NAME CHAIN KEY: becomes the current pair, both at once.
put() {
  part=$(mktemp -d "$pairs/.part.XXXXXX")
  install -m 0644 -- "$2" "$part/chain.pem"
  install -m 0600 -- "$3" "$part/key.pem"
  chmod 0755 "$part"
  rm -rf -- "\${pairs:?}/$1"
  mv -T -- "$part" "$pairs/$1"
  ln -s -- "$1" "$pairs/.current.$$"
  mv -T -- "$pairs/.current.$$" "$pairs/current"
}

prepare() {
  mkdir -p -- "$pairs"
  chmod 0755 "$pairs"
  ! is_pair "$pairs/current/chain.pem" "$pairs/current/key.pem" || return 0
  if [ -e "$live/fullchain.pem" ] && (check); then
    put "$(fingerprint)" "$live/fullchain.pem" "$live/privkey.pem"
    return 0
  fi
  own=$(mktemp -d "$pairs/.part.XXXXXX")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=not-yet-certified \\
    -addext "subjectAltName=DNS:$domain" -keyout "$own/key.pem" -out "$own/chain.pem" 2>/dev/null
  put self-signed "$own/chain.pem" "$own/key.pem"
  rm -rf -- "$own"
}

is_due() {
  [ ! -e "$request" ] || return 0
  is_pair "$live/fullchain.pem" "$live/privkey.pem" || return 0
  from=$(seconds "$live/fullchain.pem" startdate)
  to=$(seconds "$live/fullchain.pem" enddate)
  [ $(((to - $(date +%s)) * 3)) -lt $((to - from)) ]
}

renew() {
  is_due || return 0
  # What a run that was cut has left is in the way of the next.
  [ -e "$client/config/renewal/$name.conf" ] || rm -rf -- "$live" "$client/config/archive/$name"
${acme.ca ? `  export REQUESTS_CA_BUNDLE=${quote(places.ca)}\n` : ""}  certbot certonly --non-interactive --agree-tos --force-renewal --no-directory-hooks \\
    --config-dir "$client/config" --work-dir "$client/work" --logs-dir "$client/logs" --max-log-backups 20 \\
    ${command("--server", acme.directory, ...account(acme), ...keyType(acme))} \\
    --webroot --webroot-path "$challenges" --preferred-challenges http-01 --cert-name "$name" --domain "$domain" || {
    # certbot 2.1 on Python 3.11 does not say what it was refused for: an error of its own is in the way.
    sed -n '/^acme\\.messages\\.Error: /,/^$/p' "$client/logs/letsencrypt.log" >&2 || :
    exit 1
  }
  rm -f -- "$request"
}

fingerprint() { openssl x509 -in "$live/fullchain.pem" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | cut -c 1-16; }

check() {
  is_pair "$live/fullchain.pem" "$live/privkey.pem" || fail "the key in $live is not that of its certificate"
  openssl x509 -in "$live/fullchain.pem" -noout -checkhost "$domain" | grep -q 'does match' ||
    fail "the certificate in $live is not for $domain"
  openssl x509 -in "$live/fullchain.pem" -noout -checkend 0 >/dev/null || fail "the certificate in $live has expired"
${acme.ca ? trustCheck(places.ca) : ""}}

deploy() {
  check
  pair=$(fingerprint)
  if [ "$(readlink "$pairs/current")" != "$pair" ]; then
    # Stays until nginx has taken it: a reload that failed is tried again.
    : >"$pairs/.reload"
    put "$pair" "$live/fullchain.pem" "$live/privkey.pem"
  fi
  [ -e "$pairs/.reload" ] || return 0
  ${command("systemctl", "try-reload-or-restart", places.front)}
  rm -f -- "$pairs/.reload"
  for old in "$pairs"/* "$pairs"/.part.*; do
    case $old in "$pairs/current" | "$pairs/$pair") ;; *) rm -rf -- "$old" ;; esac
  done
}

served() {
  [ "$(readlink "$pairs/current")" != self-signed ] || fail "there is no certificate yet"
  openssl x509 -in "$pairs/current/chain.pem" -noout -checkend 0 >/dev/null || fail "the certificate has expired"
}

case \${1-} in
  prepare | renew | deploy | served) "$1" ;;
  *) fail "usage: sh $0 prepare|renew|deploy|served" ;;
esac
`;
}

function account({ email }: Acme): string[] {
  return email === undefined ? ["--register-unsafely-without-email"] : ["--email", email, "--no-eff-email"];
}

function keyType({ keyType }: Acme): string[] {
  return keyType === "ecdsa"
    ? ["--key-type", "ecdsa", "--elliptic-curve", "secp256r1"]
    : ["--key-type", "rsa", "--rsa-key-size", "2048"];
}

function trustCheck(ca: AbsolutePath): string {
  return `  openssl verify -CAfile ${quote(ca)} -untrusted "$live/fullchain.pem" "$live/fullchain.pem" >/dev/null ||
    fail "the certificate in $live is not signed by the CA that clients are told to trust"
`;
}

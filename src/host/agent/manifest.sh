# The manifest: what it may hold, and what follows from it without looking at the host.

# awk functions that several programs need. R is the root; a link under a root must be relative to stay inside it.
AWK_PATHS='
  function up(path,   n, s) {
    n = gsub("/", "/", path) - 1
    while (n-- > 0) s = s "../"
    return s
  }
  function inside(path, target) {
    return R == "" || target !~ /^\// ? target : up(path) substr(target, 2)
  }
  function escaped(path) {
    if (path !~ /\\/) return path
    gsub(/\\/, "\\\\", path)
    return path
  }
  # The form of `sha256sum`: a name with a backslash is escaped and its line begins with one.
  function sumline(sum, path) {
    return (path ~ /\\/ ? "\\" : "") sum "  " escaped(path)
  }
'

# Ends with 11 unless the manifest is one; with 14 if it has units and this place cannot run them.
check_manifest() {
  [ -f "$1" ] || fail 11 "no manifest: release $RELEASE is neither in the upload nor on this host"
  _sum=$(sha256sum <"$1")
  case $_sum in "$RELEASE"*) ;; *) fail 11 "the manifest's id is $(printf %.16s "$_sum"), wanted: $RELEASE" ;; esac
  # The current release was checked when it came.
  [ "$RELEASE" != "$CURRENT" ] || [ -z "$SYSTEMD" ] || return 0
  _wrong=$(awk -F '\t' '
    function bad(why) { print "manifest line " NR ": " why; exit }
    function path(p) {
      return p ~ /^\/[^ \t*?$"\047[]*$/ && p !~ /\/\// && p !~ /\/\.\.?(\/|$)/ && p !~ /\/$/
    }
    function name(n) { return n ~ /^[A-Za-z0-9][A-Za-z0-9._+-]*$/ }
    NR == 1 { if ($0 != "gofleet\t1") bad("this agent reads version 1 only"); next }
    $1 == "confirm" && NF == 2 && $2 ~ /^[0-9]+$/ { next }
    ($1 == "file" || $1 == "copy") && NF == 6 && path($2) && $3 ~ /^[0-7][0-7][0-7][0-7]$/ && $6 ~ /^[0-9a-f]+$/ { next }
    ($1 == "symlink" || $1 == "link") && NF == 3 && path($2) { next }
    $1 == "download" && NF == 7 && name($2) && $4 ~ /^(tar\.gz|module|file|file:[A-Za-z0-9][A-Za-z0-9._+-]*)$/ { next }
    $1 == "build" && NF == 7 && name($2) && $3 ~ /^[A-Za-z0-9.][A-Za-z0-9._~\/-]*$/ && name($4) && ($5 ~ /^download:[A-Za-z0-9][A-Za-z0-9._+-]*$/ || path($5)) && $6 ~ /^(all|bin)$/ && $7 ~ /^[0-9a-f]+$/ { next }
    $1 == "package" && NF == 2 && $2 ~ /^[a-z0-9][a-z0-9+.-]*[a-z0-9+]$/ { next }
    $1 == "listen" && NF == 4 && $2 ~ /^[0-9A-Fa-f:.]+$/ && $3 ~ /^[0-9]+$/ && $4 ~ /^[^\/ -][^\/ ]*$/ { next }
    ($1 == "probe" || $1 == "check") && NF == 4 && $2 ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/ && $3 ~ /^[0-9]+$/ { next }
    $1 == "revert" && NF == 2 && $2 == "never" { next }
    $1 == "secret" && NF == 3 && $2 ~ /^[A-Za-z0-9][A-Za-z0-9._-]*$/ && $3 ~ /^[0-9a-f]+$/ { next }
    $1 == "watch" && NF == 6 && $2 ~ /^[1-9][0-9]*$/ && $3 ~ /^[1-9][0-9]*$/ && $4 ~ /^(revert|report)$/ && $5 ~ /^(-|[a-z0-9][a-z0-9._,-]*)$/ && $6 ~ /^[0-9a-f]+$/ { next }
    $1 == "unit" && (NF == 4 || NF == 5 && $3 == "reload" && $5 ~ /^[0-9a-f]+$/) && $2 ~ /^[^\/ -][^\/ ]*$/ && $3 ~ /^(restart|reload|start|none)$/ { next }
    { bad("not a record: " $0) }
  ' "$1")
  [ -z "$_wrong" ] || fail 11 "$_wrong"
  [ -z "$SYSTEMD" ] || return 0
  _units=$(awk -F '\t' '$1 == "unit" { printf " %s", $2 }' "$1")
  [ -z "$_units" ] || fail 14 "units need systemd and a whole host, not ${ROOT:-a host without systemd}:$_units"
  ! has "$1" watch || fail 14 "a watch is a timer of systemd's on a whole host, not ${ROOT:-a host without systemd}; leave it out here"
}

# Sets SECONDS_TO_CONFIRM: in which a new connection must confirm. The request may ask for more.
confirm_seconds() {
  SECONDS_TO_CONFIRM=$CONFIRM
  while IFS=$TAB read -r _kind _seconds _rest; do
    [ "$_kind" != confirm ] || [ "$_seconds" -le "$CONFIRM" ] || SECONDS_TO_CONFIRM=$_seconds
  done <"$1"
}

# Does a manifest have a record of this kind?
has() {
  manifest_text "$1"
  case $MANIFEST_TEXT in *"$NL$2$TAB"*) return 0 ;; esac
  return 1
}

# manifest_text FILE: sets MANIFEST_TEXT. Read once, for the shell reads a file byte by byte; a manifest's path never gets
# other content.
manifest_text() {
  [ "$MANIFEST_READ" != "$1" ] || return 0
  MANIFEST_TEXT=$NL$(cat -- "$1")$NL
  MANIFEST_READ=$1
}

# The sums of a release's tree (its files, its probes and checks) under directory $2, and of the copies outside if $3 is `copies`,
# as `sha256sum -c` reads them.
expected_sums() {
  awk -F '\t' -v R="$ROOT" -v dir="$2" -v copies="${3:-}" "$AWK_PATHS"'
    $1 == "file" || $1 == "copy" { print sumline($6, dir $2) }
    $1 == "copy" && copies != "" { print sumline($6, R $2) }
    $1 == "watch" { print sumline($6, dir "/.gofleet/watch") }
    $1 == "probe" || $1 == "check" { print sumline($4, dir "/.gofleet/" $1 "s/" $2) }' "$1"
}

# Prints the paths whose bytes are not what the manifest says. Answers 1 if there are any.
wrong_sums() {
  expected_sums "$@" | sha256sum -c --quiet --strict - 2>/dev/null | awk '
    { line = $0 }
    line ~ /: FAILED/ {
      sub(/: FAILED( open or read)?$/, "", line)
      if (sub(/^\\/, "", line)) gsub(/\\\\/, "\\", line)
      print line
      wrong = 1
    }
    END { exit wrong }'
}

# Why a unit failed, in one sentence, from what systemd, the kernel and the unit itself say.

# cause_of UNIT: sets FOUND; empty if nothing is wrong with the unit itself. Reads what gather_unit wrote.
cause_of() {
  FOUND=
  _result=$(last_value "$EVIDENCE/ends-$1" result)
  [ -n "$_result" ] || _result=$(property "$1" Result)
  _ended=$(last_value "$EVIDENCE/ends-$1" exited)
  _signal=$(last_value "$EVIDENCE/ends-$1" killed)
  [ -n "$_signal" ] || _signal=$(last_value "$EVIDENCE/ends-$1" dumped)
  _ends=$(grep -c '^exited\|^killed\|^dumped' "$EVIDENCE/ends-$1")
  _last=$(grep '^exited\|^killed\|^dumped' "$EVIDENCE/ends-$1" | tail -n 1)
  _ooms=$(last_value "$EVIDENCE/cgroup-$1" oom_kill)
  if [ "$_result" = oom-kill ]; then
    FOUND="out of memory: the kernel killed $1 at its limit$(limit_of "$1")"
  elif [ "${_ooms:-0}" -gt 0 ]; then
    FOUND="out of memory: the kernel killed a process of $1 at its limit$(limit_of "$1")"
  elif said "$1" '^(fatal error|runtime): (runtime: )?(out of memory|cannot allocate memory)'; then
    # What Go says where the kernel gives it no more, by a limit of the process or of the host.
    FOUND="out of memory: $1 was given no more by the kernel: $SAID_LINE"
  elif [ "$_ended" = 203 ]; then
    exec_cause "$1"
  elif [ "$_ended" = 243 ]; then
    FOUND="missing credential: $1 could not be given its credentials$(missing_credentials "$1")"
  elif [ "${_ended:-0}" -gt 0 ] && said "$1" 'exec format error|cannot execute binary file|ELF.*not found'; then
    exec_cause "$1"
  elif [ "$_result" = watchdog ]; then
    FOUND="hang: $1 gave no sign of life for $(seconds_of "$(property "$1" WatchdogUSec)"), so its watchdog ended it"
  elif said "$1" 'address already in use'; then
    FOUND="port in use: $SAID_LINE"
  elif said "$1" 'credential[^.]* (missing|not found|not set)|/run/credentials/.*no such file'; then
    FOUND="missing credential: $SAID_LINE"
  elif [ "$_result" = resources ] && said "$1" 'environment file'; then
    FOUND="missing environment: $SAID_LINE"
  elif said "$1" '(environment|env|variable|setting)[^.]*(missing|not set|unset|required|empty)|(missing|required|unset)[^.]*(environment|env|variable)|[A-Z][A-Z0-9_]+ (is |was |must be )?(not set|unset|required|missing|set)$'; then
    FOUND="missing environment: $SAID_LINE"
  elif setup_step "${_ended:-0}"; then
    FOUND="$1 could not be set up: systemd failed at step $STEP ($_ended)"
  elif [ "$_result" = timeout ]; then
    FOUND="slow start: $1 was not ready within $(seconds_of "$(property "$1" TimeoutStartUSec)")"
  elif [ "$_ends" -gt 1 ]; then
    FOUND="crash loop: $1 ended $_ends times, the last time $(end_of "$_last")"
  elif [ "$_ends" = 1 ]; then
    FOUND="crash: $1 ended $(end_of "$_last")"
  elif [ "$(property "$1" ActiveState)" = failed ]; then
    FOUND="$1 failed: $_result"
  fi
}

# The program itself could not be started.
exec_cause() {
  if said "$1" 'exec format error|cannot execute binary file|ELF.*not found'; then
    FOUND="wrong architecture: the program of $1 is not for this machine ($(uname -m))"
  elif said "$1" 'failed (at step EXEC|to execute)'; then
    FOUND="no program: $SAID_LINE"
  else
    FOUND="no program: $1 could not be started (203/EXEC)"
  fi
}

# property UNIT NAME
property() {
  sed -n "s/^$2=//p" "$EVIDENCE/show-$1" 2>/dev/null
}

# last_value FILE KEY: of `key value` lines.
last_value() {
  awk -v key="$2" '$1 == key { last = $2 } END { print last }' "$1" 2>/dev/null
}

# said UNIT PATTERN: sets SAID_LINE to the last line of its journal that matches.
said() {
  SAID_LINE=$(grep -aiE -- "$2" "$EVIDENCE/journal-$1" 2>/dev/null | tail -n 1 | head -c 300)
  [ -n "$SAID_LINE" ]
}

# end_of "exited 1": in words.
end_of() {
  case $1 in
    'exited '*) printf 'with exit code %s' "${1#* }" ;;
    *) printf 'by signal %s (%s)' "$(kill -l "${1#* }" 2>/dev/null)" "$((128 + ${1#* }))" ;;
  esac
}

# Exit codes by which systemd says at which step of a start it failed itself: systemd.exec(5), "Process Exit Codes".
setup_step() {
  case $1 in
    200) STEP=CHDIR ;; 206) STEP=FDS ;; 207) STEP=EXEC ;; 208) STEP=STDIN ;; 209) STEP=STDOUT ;; 214) STEP=SETSCHEDULER ;;
    216) STEP=GROUP ;; 217) STEP=USER ;; 218) STEP=CAPABILITIES ;; 219) STEP=CGROUP ;; 226) STEP=NAMESPACE ;;
    228) STEP=SECCOMP ;; 231) STEP=APPARMOR ;; 233) STEP=RUNTIME_DIRECTORY ;; 238) STEP=STATE_DIRECTORY ;;
    239) STEP=CACHE_DIRECTORY ;; 240) STEP=LOGS_DIRECTORY ;; 241) STEP=CONFIGURATION_DIRECTORY ;; 242) STEP=NUMA_POLICY ;;
    *) return 1 ;;
  esac
}

limit_of() {
  _limit=$(property "$1" MemoryMax)
  case $_limit in '' | infinity | *[!0-9]*) ;; *) printf ' of %s' "$(bytes "$_limit")" ;; esac
}

# Sources of LoadCredential= that are not there.
missing_credentials() {
  sed -n 's/^LoadCredential\(Encrypted\)\{0,1\}=//p' "$ETC/releases/$EVIDENCE_OF/etc/systemd/system/$1" 2>/dev/null |
    while IFS=: read -r _name _source; do
      case $_source in /*) [ -e "$_source" ] || printf ': %s (%s is not there)' "$_name" "$_source" ;; esac
    done
}

# bytes NUMBER: for people.
bytes() {
  awk -v b="$1" 'BEGIN {
    n = split("B KiB MiB GiB TiB", unit, " ")
    for (i = 1; b >= 1024 && i < n; i++) b /= 1024
    printf(b == int(b) ? "%d %s" : "%.1f %s", b, unit[i])
  }'
}

# A time span of systemd's, such as `30s` or `1min 30s`.
seconds_of() {
  printf '%s' "${1:-its time}"
}

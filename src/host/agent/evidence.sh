# What is known of a release that failed: kept in the run's directory, and a summary that says it at a glance.

# evidence RELEASE WHY [BEFORE]: while the release is still on. The journal is read from SINCE on, or from the run's
# beginning. BEFORE: the release it is compared with, where that is not FROM.
evidence() {
  EVIDENCE_OF=$1
  _before=${3-$FROM}
  _first=
  : >"$EVIDENCE/causes"
  if [ -n "$SYSTEMD" ]; then
    for _unit in $(unit_names "$ETC/releases/$1/.gofleet/manifest"); do gather_unit "$_unit"; done
  fi
  compare_environment "$_before" "$1" >"$EVIDENCE/environment"
  mask_evidence "$_before" "$1"
  if [ -n "$SYSTEMD" ]; then
    for _unit in $(unit_names "$ETC/releases/$1/.gofleet/manifest"); do
      cause_of "$_unit"
      [ -z "$FOUND" ] || printf '%s\t%s\n' "$_unit" "$FOUND" >>"$EVIDENCE/causes"
    done
  fi
  summarize "$2" | mask_secrets "$_before" "$1" >"$EVIDENCE/summary"
  emit summary msg "$(cat "$EVIDENCE/summary")" path "$EVIDENCE"
}

# mask_evidence RELEASE…: what units and probes printed.
mask_evidence() {
  for _file in "$EVIDENCE"/*; do
    case $_file in */good-* | */causes | *.masked) ;; *) mask_file "$_file" "$@" ;; esac
  done
}

# evidence_left DIRECTORY BEFORE: of the current release, which goes back to BEFORE for a cause that the operator gives. In
# a directory of its own: what the probes of the other one print is for this run's own.
evidence_left() {
  [ -n "$CURRENT" ] || return 0
  _own=$EVIDENCE
  EVIDENCE=$1
  mkdir -p -- "$EVIDENCE" && evidence_given "$CURRENT" "$BLAMED" "$2"
  EVIDENCE=$_own SINCE=''
}

# evidence_given RELEASE WHY BEFORE: the same of a release that was switched on some time ago, and for which the cause is
# not to be seen on this host.
evidence_given() {
  GIVEN=1
  SINCE=$(stat -c %Y -- "$ETC/current")
  evidence "$@"
  GIVEN=
}

PROPERTIES=Id,LoadState,ActiveState,SubState,Type,Result,ExecMainCode,ExecMainStatus,ExecMainPID,MainPID,NRestarts,StatusText
PROPERTIES=$PROPERTIES,MemoryCurrent,MemoryPeak,MemoryMax,TasksCurrent,TasksMax,CPUUsageNSec,WatchdogUSec,TimeoutStartUSec
PROPERTIES=$PROPERTIES,ControlGroup,LogNamespace,ActiveEnterTimestamp,ExecMainStartTimestamp,ExecMainExitTimestamp,InvocationID

# gather_unit NAME: its properties (never its environment), its cgroup's numbers, its journal, how its processes ended, and
# core dumps. Each in a file of its own.
gather_unit() {
  systemctl show --property="$PROPERTIES" -- "$1" >"$EVIDENCE/show-$1" 2>&1 9>&-
  _cgroup=$(property "$1" ControlGroup)
  : >"$EVIDENCE/cgroup-$1"
  for _number in memory.current memory.peak memory.max memory.swap.current pids.current pids.max; do
    [ -z "$_cgroup" ] || [ ! -r "/sys/fs/cgroup$_cgroup/$_number" ] ||
      printf '%s %s\n' "$_number" "$(cat "/sys/fs/cgroup$_cgroup/$_number")" >>"$EVIDENCE/cgroup-$1"
  done
  [ -z "$_cgroup" ] || cat "/sys/fs/cgroup$_cgroup/memory.events" >>"$EVIDENCE/cgroup-$1" 2>/dev/null
  if [ -n "$SINCE" ]; then
    _since=@$SINCE
  else
    uptime_seconds
    _since=-$((UPTIME - STARTED + 1))s
  fi
  _space=$(property "$1" LogNamespace)
  # On a busy host the unit's last words may not be in the journal yet.
  timeout 5 journalctl --sync >/dev/null 2>&1 </dev/null 9>&-
  [ -z "$_space" ] || timeout 5 journalctl --namespace="$_space" --sync >/dev/null 2>&1 </dev/null 9>&-
  journal "$1" --lines=200 --unit="$1" ${_space:+--namespace="+$_space"} --output=cat | tr -d '\000' >"$EVIDENCE/journal-$1"
  journal "$1" --lines=200 _SYSTEMD_UNIT="$1" ${_space:+--namespace="+$_space"} --output=cat | tr -d '\000' >"$EVIDENCE/own-$1"
  journal "$1" _PID=1 UNIT="$1" --output=export --output-fields=MESSAGE_ID,EXIT_CODE,EXIT_STATUS,UNIT_RESULT |
    awk "$AWK_ENDS" >"$EVIDENCE/ends-$1"
  gather_core "$1"
}

# journal UNIT ARGUMENT…
journal() {
  shift
  journalctl --quiet --no-pager --since="$_since" "$@" 2>/dev/null 9>&-
}

# How processes ended and why units failed, in order, from systemd's own messages: `exited 1`, `killed 9`, `result watchdog`.
# A stop that was asked for is no failure: whatever ends between "Stopping" and the next "Starting" is left out.
AWK_ENDS='
  function flush() {
    if (id == "de5b426a63be47a7b6ac3eaac82e2f6f") stopping = 1
    else if (id == "7d4958e842da4a758f6c1cdc7b36dcc5") stopping = 0
    else if (!stopping && id == "98e322203f7a4ed290d09fe03c09fe15" && code != "") print code, status
    else if (!stopping && id == "d9b373ed55a64feb8242e02dbe79a49c" && result != "") print "result", result
    id = code = status = result = ""
  }
  /^$/ { flush(); next }
  { value = substr($0, index($0, "=") + 1) }
  /^MESSAGE_ID=/ { id = value }
  /^EXIT_CODE=/ { code = value }
  /^EXIT_STATUS=/ { status = value }
  /^UNIT_RESULT=/ { result = value }
  END { flush() }
'

gather_core() {
  grep -q '^dumped' "$EVIDENCE/ends-$1" || return 0
  if command -v coredumpctl >/dev/null 2>&1; then
    coredumpctl --no-pager --since="$_since" info "COREDUMP_UNIT=$1" >"$EVIDENCE/core-$1" 2>&1 </dev/null 9>&-
  else
    printf '%s\n' 'a core was dumped; without coredumpctl (systemd-coredump) nothing more is known of it' >"$EVIDENCE/core-$1"
  fi
}

# A dozen lines: why, what the release answered and wrote last, what differs from the one before, where the rest is.
summarize() {
  IFS=$TAB read -r _unit _cause <"$EVIDENCE/causes" || {
    _unit=$(unit_names "$ETC/releases/$EVIDENCE_OF/.gofleet/manifest" | grep '\.service$' | head -n 1)
    _cause=
  }
  [ -n "$SYSTEMD" ] || _unit=
  if [ -n "$GIVEN" ]; then
    row cause "$1"
    [ -z "$_cause" ] || row '' "$_cause"
  elif [ -z "$_cause" ] && [ -n "$_unit" ] && [ "$(property "$_unit" ActiveState)" = active ]; then
    row cause "unhealthy: $_unit runs, but did not show that it is well in time"
  else
    row cause "${_cause:-$1}"
  fi
  for _answer in "$EVIDENCE"/probe-*; do
    case $_answer in *.err | *.masked) continue ;; esac
    [ -s "$_answer" ] && [ ! -e "$EVIDENCE/good-${_answer##*/probe-}" ] || continue
    row answer "$(head -c 300 "$_answer" | tr -d '\000' | tr '\n' ' ')"
  done
  if [ -n "$_unit" ]; then
    row unit "$(unit_line "$_unit")"
    last_words "$_unit" | rows journal
    [ ! -f "$EVIDENCE/core-$_unit" ] || row core "$EVIDENCE/core-$_unit"
  fi
  head -n 4 "$EVIDENCE/environment" | rows changed
  row evidence "$EVIDENCE"
}

row() {
  printf '%-9s %s\n' "$1" "$(printf '%s' "$2" | head -c 400)"
}

# Lines on standard input, the first with a label.
rows() {
  _label=$1
  while IFS= read -r _line; do
    row "$_label" "$_line"
    _label=
  done
}

unit_line() {
  printf '%s: %s' "$1" "$(property "$1" ActiveState)"
  _result=$(property "$1" Result)
  [ "$_result" = success ] || printf ', %s' "$_result"
  _restarts=$(property "$1" NRestarts)
  case $_restarts in '' | 0) ;; 1) printf ', 1 restart' ;; *) printf ', %s restarts' "$_restarts" ;; esac
  _peak=$(last_value "$EVIDENCE/cgroup-$1" memory.peak)
  [ -n "$_peak" ] || _peak=$(property "$1" MemoryPeak)
  case $_peak in '' | *[!0-9]*) ;; *) printf ', memory at most %s%s' "$(bytes "$_peak")" "$(limit_of "$1")" ;; esac
  _status=$(property "$1" StatusText)
  [ -z "$_status" ] || printf ', says "%s"' "$_status"
}

# The last lines that the unit wrote itself, without the frames of Go's stack traces; systemd's own where it wrote none.
last_words() {
  _words=$EVIDENCE/own-$1
  [ -s "$_words" ] || _words=$EVIDENCE/journal-$1
  awk '
    /^[ \t]*$/ || /^\t/ || /^goroutine [0-9]+/ || /^[A-Za-z0-9_.\/*()-]+\(.*\)$/ || /^(created by|rax|rbx|rcx|rdx|rdi|rsi|rbp|rsp|r[0-9]+|rip|rflags|cs|fs|gs) / { next }
    { line[++n] = $0 }
    END { for (i = n > 5 ? n - 4 : 1; i <= n; i++) print line[i] }' "$_words"
}

# compare_environment OLD NEW: what differs in the environment of the units' files, a line each: `+ NAME=value`, `- NAME`,
# `~ NAME: old -> new`. A value that looks like a secret stands as the first digits of a digest keyed with the instance.
compare_environment() {
  { environment_of "$1" old; environment_of "$2" new; } | awk -F '\t' -v OFS='\t' '
    { seen[$2]; value[$1, $2] = $3 }
    END {
      for (name in seen) {
        was = (("old", name) in value) ? value["old", name] : ""
        is = (("new", name) in value) ? value["new", name] : ""
        if (!(("old", name) in value)) print name, "+", is, ""
        else if (!(("new", name) in value)) print name, "-", "", ""
        else if (was != is) print name, "~", was, is
      }
    }' | sort | while IFS=$TAB read -r _name _sign _was _is; do
    case $_sign in
      +) printf '+ %s=%s\n' "$_name" "$(shown "$_name" "$_was")" ;;
      -) printf -- '- %s\n' "$_name" ;;
      *) printf '~ %s: %s -> %s\n' "$_name" "$(shown "$_name" "$_was")" "$(shown "$_name" "$_is")" ;;
    esac
  done
}

# environment_of RELEASE LABEL: label, name and value of every variable its unit files set, themselves or by a file of the
# release, and of every secret its digest.
environment_of() {
  _tree=$ETC/releases/$1
  [ -n "$1" ] && [ -f "$_tree/.gofleet/manifest" ] || return 0
  awk -F '\t' -v OFS='\t' -v label="$2" '$1 == "secret" { print label, "secret " $2, substr($3, 1, 12) }' "$_tree/.gofleet/manifest"
  find "$_tree/etc/systemd/system" -name '*.service' -type f 2>/dev/null | sort | while IFS= read -r _file; do
    sed -n 's/^Environment=//p' "$_file" | awk "$AWK_WORDS"
    sed -n 's/^EnvironmentFile=-\{0,1\}//p' "$_file" | while IFS= read -r _path; do
      case $_path in */.gofleet/secrets/*) continue ;; esac
      sed -n 's/^[ \t]*\([A-Za-z_][A-Za-z0-9_]*\)=\(.*\)$/\1\t\2/p' "$_tree$_path" 2>/dev/null | sed 's/\t"\(.*\)"$/\t\1/'
    done
  done | awk -v label="$2" -v OFS='\t' '{ print label, $0 }'
}

# Words of an Environment= line, quoted or not, as name, TAB, value.
AWK_WORDS='
  {
    rest = $0
    while (match(rest, /[^ \t]/)) {
      rest = substr(rest, RSTART)
      quote = substr(rest, 1, 1)
      if (quote == "\"" || quote == "\047") {
        rest = substr(rest, 2)
        end = index(rest, quote)
        word = end ? substr(rest, 1, end - 1) : rest
        rest = end ? substr(rest, end + 1) : ""
      } else {
        end = match(rest, /[ \t]/)
        word = end ? substr(rest, 1, end - 1) : rest
        rest = end ? substr(rest, end) : ""
      }
      at = index(word, "=")
      if (at > 1) print substr(word, 1, at - 1) "\t" substr(word, at + 1)
    }
  }
'

# shown NAME VALUE: the value, or a digest where the name or the value looks like a secret's.
shown() {
  case $1 in
    'secret '*) printf 'digest %s' "$2"; return 0 ;;
  esac
  if printf '%s\n' "$1" | grep -qiE 'secret|token|passw|passphrase|credential|private|api_?key|access_?key|auth|cookie|dsn' ||
    printf '%s\n' "$2" | grep -qE '://[^/ ]*:[^/ ]*@'; then
    _digest=$(printf '%s:%s=%s' "$OWNER_INSTANCE" "$1" "$2" | sha256sum)
    printf 'digest %.12s' "$_digest"
  else
    printf '%s' "$2" | head -c 120
  fi
}

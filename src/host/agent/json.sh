# JSON lines on stdout and, once a run has a log, in the log as well.

# Text on stdin to the inside of JSON strings: ASCII out, every byte that is not UTF-8 becomes U+FFFD.
# `lines` as first argument: one "out" event for each line instead.
json_escape() {
  od -An -v -tu1 | awk -v mode="${1:-text}" '
    function put(code) {
      if (code == 10 && mode == "lines") { flush(); return }
      held = 1
      if (code == 34) text = text "\\\""
      else if (code == 92) text = text "\\\\"
      else if (code == 10) text = text "\\n"
      else if (code == 9) text = text "\\t"
      else if (code < 32 || code == 127) text = text sprintf("\\u%04x", code)
      else if (code < 127) text = text substr(ASCII, code - 31, 1)
      else if (code < 65536) text = text sprintf("\\u%04x", code)
      else text = text sprintf("\\u%04x\\u%04x", 55296 + int((code - 65536) / 1024), 56320 + (code - 65536) % 1024)
    }
    function flush() {
      if (mode == "lines") print "{\"ev\":\"out\",\"msg\":\"" text "\"}"
      else printf "%s", text
      text = ""
      held = 0
    }
    # A state machine over bytes: low and high bound the next byte, which rules out overlong forms and surrogates.
    function byte(b) {
      if (need > 0) {
        if (b >= low && b <= high) {
          code = code * 64 + b - 128
          low = 128; high = 191
          if (--need == 0) put(code)
          return
        }
        need = 0
        put(65533)
      }
      low = 128; high = 191
      if (b < 128) put(b)
      else if (b >= 194 && b <= 223) { need = 1; code = b - 192 }
      else if (b >= 224 && b <= 239) {
        need = 2; code = b - 224
        if (b == 224) low = 160
        if (b == 237) high = 159
      } else if (b >= 240 && b <= 244) {
        need = 3; code = b - 240
        if (b == 240) low = 144
        if (b == 244) high = 143
      } else put(65533)
    }
    BEGIN { for (i = 32; i < 127; i++) ASCII = ASCII sprintf("%c", i) }
    { for (i = 1; i <= NF; i++) byte($i + 0) }
    END {
      if (need > 0) put(65533)
      if (held || mode != "lines") flush()
    }'
}

# Sets JSON to a quoted string. Plain ASCII, nearly always the case, needs no process.
json_text() {
  case $1 in
    *[!]\ !#-Z[_-~]*) JSON=\"$(printf '%s' "$1" | json_escape)\" ;;
    *) JSON=\"$1\" ;;
  esac
}

# emit EVENT [KEY VALUE]…: one event; a key that starts with a colon has a number or a boolean.
emit() {
  _line="{\"ev\":\"$1\""
  shift
  while [ $# -gt 1 ]; do
    case $1 in
      :*) _line="$_line,\"${1#:}\":$2" ;;
      *)
        json_text "$2"
        _line="$_line,\"$1\":$JSON"
        ;;
    esac
    shift 2
  done
  say "$_line}"
}

# Lines said by one emit are counted, for a follower that goes on where this process stopped.
say() {
  SAID=$((SAID + 1))
  [ -z "$LOG" ] || printf '%s\n' "$1" >>"$LOG"
  [ -z "$ECHO" ] || printf '%s\n' "$1"
}

# Whatever a tool printed, as "out" events.
say_output() {
  [ -n "$1" ] || return 0
  _lines=$(printf '%s\n' "$1" | json_escape lines)
  say "$_lines"
}

# Runs a tool without the lock; what it printed becomes "out" events. Answers with its exit code.
quiet() {
  OUTPUT=$("$@" 2>&1 </dev/null 9>&-)
  _code=$?
  say_output "$OUTPUT"
  return "$_code"
}

# fail RC MESSAGE: ends the verb.
fail() {
  case $1 in
    16) _status=busy ;;
    17) _status=moved ;;
    18) _status=owned ;;
    19) _status=machine ;;
    20) _status=reverted ;;
    *) _status=failed ;;
  esac
  finish "$1" "$_status" "$2"
}

# finish RC STATUS MESSAGE: the result, and the end of the process.
finish() {
  # A first run that fails forgets what it knew.
  if [ -n "$FIRST" ]; then
    packages_kept
    [ -z "$KEPT" ] || emit out msg "packages that came with it stay: $KEPT"
  fi
  conclude "$@"
  exit "$1"
}

# conclude RC STATUS MESSAGE: the result, in the log and beside it, then the exit code that followers wait for.
conclude() {
  json_text "$3"
  _result="{\"ev\":\"result\",\"tx\":\"${TX:-}\",\"status\":\"$2\",\"rc\":$1,\"from\":\"${FROM:-}\",\"to\":\"${TO:-}\""
  _result="$_result,\"current\":\"${CURRENT:-}\",\"instance\":\"${OWNER_INSTANCE:-}\",\"machine\":\"${FACT_MACHINE:-}\",\"msg\":$JSON}"
  if [ -n "$RUN" ] && [ -d "$RUN" ]; then
    printf '%s\n' "$_result" >"$RUN/result" 2>/dev/null
    say "$_result"
    printf '%s\n' "$1" 2>/dev/null >"$RUN/exit.new" && mv -fT -- "$RUN/exit.new" "$RUN/exit"
  else
    say "$_result"
  fi
  # Nobody waits for this any more, and nothing may be said after the result.
  (
    LOG='' ECHO=''
    audited "$@"
  )
}

# Secrets of a component, kept out of what is shown of it. Text is masked before it is cut: of a value that is cut in two
# the rest would be shown.

# mask_secrets RELEASE…: standard input with the values of those releases' secrets replaced by their names: as they are,
# line by line, the value of a NAME=value line, escaped as in JSON, and in base64. Values of less than four characters
# stay, for they would be found everywhere. The program's arguments are paths: no value is seen in a list of processes.
mask_secrets() {
  _ids=$*
  set --
  for _id in $_ids; do
    [ -f "$ETC/releases/$_id/.gofleet/manifest" ] || continue
    while IFS=$TAB read -r _kind _name _hmac <&3; do
      [ "$_kind" = secret ] && [ -f "$VAR/secrets/$_hmac" ] || continue
      set -- "$@" "name=$_name" "$VAR/secrets/$_hmac"
    done 3<"$ETC/releases/$_id/.gofleet/manifest"
  done
  awk "$AWK_MASK" "$@" masking=1 -
}

# mask_file FILE RELEASE…: in its place; what cannot be masked, for the disk is full, is not kept.
mask_file() {
  _masked=$1
  shift
  if mask_secrets "$@" <"$_masked" >"$_masked.masked" && mv -fT -- "$_masked.masked" "$_masked"; then return 0; fi
  rm -f -- "$_masked" "$_masked.masked"
}

AWK_MASK='
  function put(text,   at) {
    if (length(text) < 4 || text ~ /^-----(BEGIN|END) /) return
    # Longer ones first, so that one that begins like another is replaced as a whole.
    for (at = ++n; at > 1 && length(value[at - 1]) < length(text); at--) { value[at] = value[at - 1]; label[at] = label[at - 1] }
    value[at] = text
    label[at] = name
  }
  function add(text) {
    put(text)
    if (gsub(/["\\]/, "\\\\&", text)) put(text)
  }
  !masking {
    line = $0
    sub(/\r$/, "", line)
    add(line)
    if (match(line, /^[ \t]*(export +)?[A-Za-z_][A-Za-z0-9_]*=/)) {
      line = substr(line, RLENGTH + 1)
      if (line ~ /^".*"$/ || line ~ /^\047.*\047$/) line = substr(line, 2, length(line) - 2)
      add(line)
    }
    if (FNR == 1) {
      command = "base64 -w0 <\047" FILENAME "\047"
      if ((command | getline line) > 0) { sub(/=+$/, "", line); add(line) }
      close(command)
    }
    next
  }
  {
    line = $0
    for (i = 1; i <= n; i++) {
      done = ""
      while ((at = index(line, value[i])) > 0) {
        done = done substr(line, 1, at - 1) "[secret " label[i] "]"
        line = substr(line, at + length(value[i]))
      }
      line = done line
    }
    print line
  }
'

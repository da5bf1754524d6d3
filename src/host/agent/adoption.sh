# Before anything is managed: what a component would meet.

# `adoption`: what stands now at each path that a manifest would manage.
verb_adoption() {
  MANIFEST=$UPLOAD/release/.gofleet/manifest
  set_work "$UPLOAD"
  set_component "$COMPONENT"
  FROM=$CURRENT TO=$CURRENT
  facts
  check_manifest "$MANIFEST"
  : >"$WORK/bad"
  make_plan "$MANIFEST" "$RELEASE" "$WORK" || fail 12 "$WORK cannot be written: no space"
  ADOPT=displace REPLACES=directory
  : >"$WORK/handover"
  others_paths "$MANIFEST" "$WORK" "$HOST_VAR"/*/ledger
  while IFS=$TAB read -r _path _other; do emit stands path "$_path" kind owned msg "component $_other"; done <"$WORK/handover"
  awk -F '\t' -v OFS='\t' -v R="$ROOT" '
    FILENAME == ARGV[1] { type[$1] = $2; link[$1] = $6; next }
    FILENAME == ARGV[2] { displaced[$1]; next }
    FILENAME == ARGV[3] { owned[$1]; next }
    $1 in owned { next }
    {
      at = R $1
      kind = !(at in type) ? "absent" : !($1 in displaced) ? "ours" : type[at] == "d" ? "directory" : type[at] == "l" ? "link" : "file"
      print $1, kind, kind == "link" ? link[at] : ""
    }' "$WORK/state" "$WORK/displace" "$WORK/handover" "$WORK/own" | while IFS=$TAB read -r _path _kind _msg; do
    emit stands path "$_path" kind "$_kind" msg "$_msg"
  done
  finish 0 ok "nothing was changed"
}

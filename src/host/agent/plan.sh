# What stands at the managed paths, and what must be done there. Reads only.

# make_plan MANIFEST RELEASE WORK: compares the host with a release (manifest `/dev/null`: with nothing) and writes
#   WORK/own       ledger of the release: path, id of what it displaced or -
#   WORK/drop      ledger lines that the release does not want
#   WORK/make      what is not as it should be: link|copy, directory, target or source, path
#   WORK/displace  path, id, type: stands in the way and has no copy yet
#   WORK/mkdir     missing directories, parents first
#   WORK/drift     kind, path, message, for people
# WORK/bad must hold the output of wrong_sums.
make_plan() {
  _ledger=$VAR/ledger
  [ -f "$_ledger" ] || _ledger=/dev/null
  list_paths "$1" "$2" | {
    set --
    while IFS= read -r _path; do set -- "$@" "$_path"; done
    [ $# = 0 ] || find "$@" -prune -printf '%p\t%y\t%m\t%u\t%g\t%l\n' 2>/dev/null
  } >"$3/state"
  : >"$3/own" && : >"$3/drop" && : >"$3/make" && : >"$3/displace" && : >"$3/mkdir" && : >"$3/drift" || return 1
  awk -F '\t' -v OFS='\t' -v R="$ROOT" -v etc="$OWN_ETC" -v release="$2" -v tx="${TX:-none}" -v work="$3" \
    -v component="$COMPONENT" "$AWK_PATHS$AWK_PLAN" "$3/state" "$3/bad" "$_ledger" "$1"
}

# Every path whose state matters: the managed ones, their parents, and the release's own tree.
list_paths() {
  awk -F '\t' -v R="$ROOT" -v tree="$ETC/releases/$2" '
    function parents(p) {
      while (sub(/\/[^\/]*$/, "", p) && p != "" && !(p in seen)) { seen[p]; print R p }
    }
    $1 == "file" || $1 == "copy" || $1 == "symlink" || $1 == "link" {
      parents($2)
      print R $2
      if ($1 != "link") print tree $2
    }' "$1"
}

AWK_PLAN='
  function drift(kind, path, message) { print kind, path, message >(work "/drift") }
  function make(kind, path, target,   dir) {
    dir = path
    sub(/\/[^\/]*$/, "", dir)
    print kind, R (dir == "" ? "/" : dir), target, R path >(work "/make")
  }
  function named(type) { return type == "f" ? "a file" : type == "l" ? "a link" : type == "d" ? "a directory" : "type " type }
  # Mode and owner of something that must be `record` $3 $4 $5; owners are recorded but not set under a root.
  function attributes(at, path, where,   fine) {
    fine = 1
    if (substr("0000" mode[at], length(mode[at]) + 1) != $3) { drift("mode", path, where "is " mode[at] ", wanted " $3); fine = 0 }
    if (R == "" && user[at] ":" group[at] != $4 ":" $5) {
      drift("owner", path, where "is " user[at] ":" group[at] ", wanted " $4 ":" $5)
      fine = 0
    }
    return fine
  }
  function parents(p,   chain, n, i) {
    n = 0
    while (sub(/\/[^\/]*$/, "", p) && p != "" && !((R p) in type) && !(p in made)) { made[p]; chain[++n] = p }
    for (i = n; i > 0; i--) print R chain[i] >(work "/mkdir")
  }
  FILENAME == work "/state" { type[$1] = $2; mode[$1] = $3; user[$1] = $4; group[$1] = $5; link[$1] = $6; next }
  FILENAME == work "/bad" { bad[$0]; next }
  FILENAME != ARGV[4] { ledger[$1] = $2; next }
  $1 != "file" && $1 != "copy" && $1 != "symlink" && $1 != "link" { next }
  {
    path = $2; at = R path; tree = R etc "/releases/" release path
    wanted[path]
    parents(path)
    if ($1 == "copy") {
      right = 0
      if (!(at in type)) drift("missing", path, "")
      else if (type[at] != "f") drift("replaced", path, "is " named(type[at]) ", wanted a file")
      else {
        right = attributes(at, path, "")
        if (at in bad) { drift("modified", path, ""); right = 0 }
      }
      if (!right) make("copy", path, R etc "/current" path)
    } else {
      target = $1 == "link" ? inside(path, $3) : inside(path, etc "/current" path)
      right = (at in type) && type[at] == "l" && link[at] == target
      if (!(at in type)) drift("missing", path, "")
      else if (type[at] != "l") drift("replaced", path, "is " named(type[at]) ", wanted a link to " target)
      else if (!right) drift("replaced", path, "is a link to " link[at] ", wanted " target)
      if (!right) make("link", path, target)
    }
    if ($1 == "file" || $1 == "copy") {
      if (!(tree in type)) drift("missing", path, "not in the release")
      else if (type[tree] != "f") drift("replaced", path, "in the release: is " named(type[tree]))
      else if (tree in bad) drift("modified", path, $1 == "copy" ? "in the release" : "")
      else if ($1 == "file") attributes(tree, path, "in the release: ")
    }
    if ($1 == "symlink" && link[tree] != inside(etc "/releases/" release path, $3))
      drift("replaced", path, "in the release: is a link to " link[tree] ", wanted " $3)
    # A thing in the way is ours if the ledger has it; a right link without a ledger line is ours too.
    id = path in ledger ? ledger[path] : "-"
    if (!(path in ledger) && (at in type) && !right) id = tx "." ++serial
    if (id != "-" && (at in type) && !right) print path, id, type[at] >(work "/displace")
    print path, id >(work "/own")
  }
  END { for (p in ledger) if (!(p in wanted)) print p, ledger[p] >(work "/drop") }
'

#!/bin/sh
set -eu
LC_ALL=C
export LC_ALL
tree=${GOFLEET_ROOT-}/usr/local/lib/gofleet/cache/buildcached-7be60329b5f8
name=buildcached
program=$tree/$name
export program

fail() { printf '%s\n' "$*" >&2; exit 1; }

if [ ! -f "$program" ]; then
  there=$(find "$tree" -mindepth 1 -maxdepth 2 -type f -printf '%P ' 2>/dev/null | cut -c 1-300)
  fail "$name is not in what was downloaded, which has: ${there:-nothing}"
fi
[ -x "$program" ] || fail "$name cannot be executed: it was packed without that right (chmod 0755)"

# shellcheck disable=SC2016 # an awk program
exec awk -v machine="$(uname -m)" -v bytes="$(stat -c %s "$program")" -v name="$name" '
# load(from, count): bytes of the program into byte[0] and on; od seeks, so that a large program costs no more.
function load(from, count,   command, line, numbers, found, i, size) {
  size = 0
  command = sprintf("od -An -v -tu1 -j %.0f -N %.0f -- \"$program\" 2>/dev/null", from, count)
  while ((command | getline line) > 0) {
    found = split(line, numbers, " ")
    for (i = 1; i <= found; i++) byte[size++] = numbers[i] + 0
  }
  close(command)
  return size
}
# Little endian, as on every machine that gofleet knows.
function number(at, count,   value) {
  value = 0
  while (count-- > 0) value = value * 256 + byte[at + count]
  return value
}
function text(at, count,   end, value) {
  value = ""
  for (end = at + count; at < end && byte[at] != 0; at++) value = value shown(byte[at])
  return value
}
function shown(code) { return code == 9 || (code >= 32 && code < 127) ? sprintf("%c", code) : "?" }
function refuse(why) {
  print name " " why | "cat 1>&2"
  close("cat 1>&2")
  refused = 1
  exit 1
}
function is(hex,   i) {
  for (i = 1; i <= length(hex); i += 2)
    if (byte[(i - 1) / 2] != (index(DIGITS, substr(hex, i, 1)) - 1) * 16 + index(DIGITS, substr(hex, i + 1, 1)) - 1) return 0
  return 1
}
function what_else(size) {
  if (size == 0) return "is empty"
  if (is("1f8b")) return "is a gzip file: for a .tar.gz, program says where the program is in it"
  if (is("504b0304")) return "is a zip file, not a program"
  if (is("4d5a")) return "is a program for Windows, not for Linux"
  if (is("cffaedfe") || is("cafebabe")) return "is a program for macOS, not for Linux"
  return "is no program for Linux (ELF): it begins with \"" text(0, size > 40 ? 40 : size) "\""
}
# Reads the header of the file; sets at[] to where the rest is.
function read_header(   size, arch) {
  size = load(0, 64)
  if (!is("7f454c46")) refuse(what_else(size))
  if (size < 64) refuse("is cut off: it has " size " bytes")
  arch = number(18, 2)
  arch = byte[4] != 2 || byte[5] != 1 ? "another kind of machine" : arch == 62 ? "amd64" : arch == 183 ? "arm64" : "machine number " arch
  machine = machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine
  if (arch != machine) refuse("is for " arch ", and this host is " machine)
  if (number(16, 2) != 2 && number(16, 2) != 3) refuse("is no program that can be run (ELF type " number(16, 2) ")")
  at["programs"] = number(32, 8); at["program size"] = number(54, 2); at["program count"] = number(56, 2)
  at["sections"] = number(40, 8); at["section size"] = number(58, 2); at["section count"] = number(60, 2)
  at["names"] = number(62, 2)
}
# All that is to be loaded is there, and what loads a dynamically linked program is on this host.
function check_loading(   i, size, offset, count, loader_at, loader_size, loader, line) {
  size = at["program size"]
  if (load(at["programs"], size * at["program count"]) < size * at["program count"]) refuse("is cut off in its headers")
  for (i = 0; i < at["program count"]; i++) {
    offset = number(i * size + 8, 8); count = number(i * size + 32, 8)
    if (offset + count > bytes) refuse("is cut off: it has " bytes " bytes and needs " (offset + count))
    if (number(i * size, 4) == 3) { loader_at = offset; loader_size = count }
  }
  if (!loader_size || loader_size > 4096) return
  load(loader_at, loader_size)
  loader = text(0, loader_size)
  if ((getline line < loader) < 0) refuse("is dynamically linked and needs " loader ", which this host does not have; CGO_ENABLED=0 links it statically")
  close(loader)
}
# Loads the section with the build information; answers its size, 0 where there is none.
function load_information(   i, size, count, offsets, sizes, names) {
  size = at["section size"]; count = at["section count"]
  if (!count || !at["sections"]) return 0
  if (load(at["sections"], size * count) < size * count) refuse("is cut off: its last part is missing")
  for (i = 0; i < count; i++) {
    names[i] = number(i * size, 4); offsets[i] = number(i * size + 24, 8); sizes[i] = number(i * size + 32, 8)
  }
  load(offsets[at["names"]], sizes[at["names"]])
  for (i = 0; i < count; i++)
    if (text(names[i], 15) == ".go.buildinfo") {
      if (load(offsets[i], sizes[i]) < sizes[i]) refuse("is cut off in its build information")
      return sizes[i]
    }
  return 0
}
# A length in groups of seven bits, the lowest first; moves cursor behind it.
function varint(   value, scale) {
  value = 0; scale = 1
  while (byte[cursor] >= 128) { value += (byte[cursor++] - 128) * scale; scale *= 128 }
  return value + byte[cursor++] * scale
}
function read_information(size,   end, line, start) {
  for (start = 0; start + 32 <= size; start += 16) {
    if (number(start, 4) != 1866932479 || text(start + 1, 13) != " Go buildinf:") continue
    if (int(byte[start + 15] / 2) % 2 != 1) return
    cursor = start + 32
    end = varint() + cursor
    found["go"] = text(cursor, end - cursor)
    sub(/^go/, "", found["go"]); sub(/ .*/, "", found["go"])
    cursor = end
    end = varint() + cursor
    # Sixteen bytes on either side mark the text.
    cursor += 16; end -= 16
    for (line = ""; cursor < end; cursor++) {
      if (byte[cursor] != 10) { line = line shown(byte[cursor]); continue }
      read_line(line)
      line = ""
    }
    return
  }
}
function read_line(line,   field) {
  split(line, field, "\t")
  if (field[1] == "path") found["package"] = field[2]
  if (field[1] == "mod") { found["module"] = field[2]; if (field[3] != "") found["version"] = field[3] }
  if (field[1] != "build") return
  if (field[2] ~ /^vcs\.revision=/) found["revision"] = substr(field[2], 14)
  if (field[2] ~ /^vcs\.modified=(true|false)$/) found["modified"] = substr(field[2], 14)
}
function fits(key, wanted, given) {
  if (key == "revision") return index(given, wanted) == 1
  return given == wanted || (key == "go" && wanted ~ /^[0-9]+\.[0-9]+$/ && index(given, wanted ".") == 1)
}
function compare(   i, key, wanted, wrong) {
  for (i = 1; i in KEYS; i++) {
    key = KEYS[i]; wanted = ENVIRON["wanted_" key]
    if (wanted != "" && !fits(key, wanted, found[key]))
      wrong = wrong "\n  " key " is " (found[key] == "" ? "not in it" : found[key]) ", wanted " wanted
  }
  if (wrong != "") refuse("is not what was declared:" wrong)
}
function print_found(   i, key, value, line) {
  for (i = 1; i in KEYS; i++) {
    key = KEYS[i]; value = found[key]
    if (value == "") continue
    gsub(/\\/, "\\\\", value); gsub(/"/, "\\\"", value)
    line = line (line == "" ? "" : ",") "\"" key "\":" (key == "modified" ? value : "\"" value "\"")
  }
  print "{" line "}"
}
BEGIN {
  DIGITS = "0123456789abcdef"
  split("module package version revision go modified", KEYS, " ")
  read_header()
  check_loading()
  read_information(load_information())
  compare()
  print_found()
}
'

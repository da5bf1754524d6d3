# Commands that are built here, from a module that was verified: with a toolchain of the plan or of this host, and caches
# of their own that go again.

# prepare_build: the toolchain that is to build a download, with caches and settings for it.
prepare_build() {
  split_recipe "$_recipe"
  [ -x "$GOROOT_PATH/bin/go" ] || stage_failed 14 "download $_name: there is no $GOROOT_PATH/bin/go to build it with"
  mkdir -p -- "$PART/go/tmp" "$PART/go/home" || stage_failed 12 "$PART cannot be written"
  build_settings >"$PART/go/env" || stage_failed 12 "$PART cannot be written"
}

# build_command: PART/tree holds the sources; afterwards bin/<output> of the tree is the command.
build_command() {
  _left=$(seconds_left)
  [ "$_left" -gt 0 ] || stage_failed 15 "download $_name: no time left to build it"
  emit download name "$_name" msg building
  run_go "$PART/tree" "$GOROOT_PATH/bin/go" build -mod=readonly -modcacherw -trimpath -buildvcs=false \
    -o "$PART/go/$OUTPUT_NAME" "$BUILD_PACKAGE"
  [ "$_code" = 0 ] || build_failed
  _out=$({
    # What serves is small: only the command stays to be looked after, unless the plan wants the sources as well.
    [ "$KEEP_SOURCES" = all ] || rm -rf -- "$PART/tree"
    mkdir -p -- "$PART/tree/bin" && chmod 0755 -- "$PART/go/$OUTPUT_NAME" &&
      mv -fT -- "$PART/go/$OUTPUT_NAME" "$PART/tree/bin/$OUTPUT_NAME" && rm -rf -- "$PART/go"
  } 2>&1) || stage_failed 12 "$_out"
}

# split_recipe RECIPE: sets BUILD_PACKAGE, OUTPUT_NAME, GOROOT_PATH and KEEP_SOURCES from the fields of a build record.
split_recipe() {
  read -r BUILD_PACKAGE OUTPUT_NAME GOROOT_PATH KEEP_SOURCES _digest <<RECIPE
$1
RECIPE
  TOOLCHAIN=
  case $GOROOT_PATH in
    download:*)
      TOOLCHAIN=${GOROOT_PATH#download:}
      GOROOT_PATH=$LIB/$TOOLCHAIN
      ;;
    *) GOROOT_PATH=$ROOT$GOROOT_PATH ;;
  esac
}

# The settings of a toolchain of this plan are those of the release that is coming, not of the one that is current. In the
# file that GOENV names the last of two lines counts, unlike in the tree's go.env.
build_settings() {
  [ -n "$TOOLCHAIN" ] && [ -f "$VAR/downloads/$TOOLCHAIN.stat" ] || return 0
  read -r _f _c _lead _led _r <"$VAR/downloads/$TOOLCHAIN.stat"
  [ "$_lead" != - ] || return 0
  _tree=$UPLOAD/release
  [ -d "$_tree" ] || _tree=$ETC/releases/$RELEASE
  cat -- "$GOROOT_PATH/$_lead.orig" && { [ ! -f "$_tree$_led" ] || cat -- "$_tree$_led"; }
}

# run_go DIRECTORY COMMAND…: for _left seconds at most; sets _code. In the background, so that a signal to the agent ends
# it at once; `sweep` knows it by the file `builder`.
run_go() {
  BEFORE_CHILD=${!:-none}
  (
    build_environment
    cd -- "$1" && shift && exec timeout -k 5 "$_left" nice "$@"
  ) </dev/null >"$PART/said" 2>&1 9>&- &
  printf '%s\n' "$!" >"$PART/builder"
  await_child
}

# Nothing of the caller's own Go; then what the plan says, then what holds for every build. An empty GOFLAGS would let
# the toolchain's settings have their say.
build_environment() {
  # shellcheck disable=SC2046 # names of variables
  unset GOFLAGS $(awk 'BEGIN { for (n in ENVIRON) if (n ~ /^(GO|CGO_)[A-Z0-9_]*$/) print n }')
  GOFLAGS=-mod=readonly
  if [ -f "$UPLOAD/builds/$_name" ]; then
    while IFS= read -r _setting; do export "${_setting?}"; done <"$UPLOAD/builds/$_name"
  fi
  HOME=$PART/go/home GOENV=$PART/go/env GOPATH=$PART/go/path GOMODCACHE=$PART/go/mod GOCACHE=$PART/go/cache
  GOTMPDIR=$PART/go/tmp GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0
  export GOFLAGS HOME GOENV GOPATH GOMODCACHE GOCACHE GOTMPDIR GOTOOLCHAIN GOWORK CGO_ENABLED
}

# go_said: the end of what it said, without the passwords that addresses of modules may hold.
go_said() {
  tail -n 40 -- "$PART/said" | sed 's|://[^/@ ]*@|://|g'
}

build_failed() {
  _said=$(go_said)
  say_output "$_said"
  WHY="download $_name could not be built: $(printf '%s\n' "$_said" | tail -n 12 | tail -c 1500)"
  case $_code in 124 | 137) stage_failed 15 "download $_name could not be built in the $_left s that were left" ;; esac
  fetch_failed
}

# sweep_builder PART: the compiler of a run that died; its caches go next.
sweep_builder() {
  [ -f "$1/builder" ] && read -r _builder <"$1/builder" || return 0
  # A reused pid is not taken for it: everything it runs knows its place.
  grep -aqsF -- "$1" "/proc/$_builder/environ" || return 0
  kill "$_builder" 2>/dev/null
  _tries=0
  while kill -0 "$_builder" 2>/dev/null && [ "$_tries" -lt 100 ]; do
    sleep 0.05
    _tries=$((_tries + 1))
  done
}

# sh agent VERB DIRECTORY: the directory holds what the operator sent, or is a run's.
main() {
  begin "$@"
  case $VERB in
    boot | exited | packages | look) "verb_$VERB" ;;
  esac
  if ! detached; then
    trap leave EXIT
    printf '%s\n' "$$" >"$UPLOAD/pid"
    trap 'CUT=1; exit 129' HUP INT TERM PIPE
  fi
  set_paths
  check_request
  case $VERB in
    run | apply | back | follow | confirm | revert | read | state | remove | facts | put | releases | room | adoption | hook) "verb_$VERB" ;;
    *) fail 66 "unknown verb '$VERB'" ;;
  esac
}

# begin VERB DIRECTORY: what is known before anything is read from the host.
begin() {
  VERB=$1
  UPLOAD=$2
  NO_BLOCK='' BACKWARDS='' COMMITS='' CAUSE='' UNITS_CHANGED='' CURRENT='' FROM='' TO='' OWNER_INSTANCE='' FIRST='' LAST=''
  CUT='' PART='' CHILD='' BEFORE_CHILD='' VAR='' UNITS_STARTED='' SINCE='' GIVEN=''
  uptime_seconds
  STARTED=$UPTIME
  read_request "$UPLOAD"
}

# Started by a timer or a launch, from the run's own directory, not by an operator's upload.
detached() {
  case $UPLOAD in */runs/"$TX") return 0 ;; esac
  return 1
}

main "$@"

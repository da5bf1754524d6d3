#!/bin/sh
# Stands for /usr/bin/java with Jenkins's agent.jar: reads its secret from the file that it is told, and takes one job
# after another (/srv/jobs/<slot>.<number>) until it is told to end, which ends the job that it has.
secret=
words=" $* "
while [ $# -gt 0 ]; do
  case $1 in
  -jar) [ -s "$2" ] || exit 8 ;;
  -name) name=$2 ;;
  -secret) secret=$(cat "${2#@}") || exit 9 ;;
  -workDir) work=$2 ;;
  esac
  shift
done
case $words in
*" -webSocket -noReconnect "*) ;;
*) exit 9 ;;
esac
slot=$(basename "$(dirname "$HOME")")
echo "$name $secret" >"/srv/results/connected.$slot.$name"
pid=
trap '[ -z "$pid" ] || kill "$pid"; exit 143' TERM
while :; do
  for job in /srv/jobs/"$slot".*; do
    result=/srv/results/${job##*/}
    if [ ! -e "$job" ] || [ -e "$result.taken" ]; then continue; fi
    mkdir -p "$work/workspace/job" && cd "$work/workspace/job" || exit 9
    echo "$name" >"$result.taken"
    sh "$job" >"$result.out" 2>&1 &
    pid=$!
    wait "$pid"
    echo $? >"$result.code"
    pid=
  done
  sleep 0.1
done

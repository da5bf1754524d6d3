#!/bin/sh
# The agent of test hosts: takes one job of its slot (/srv/jobs/<slot>.<number>), runs it and ends. Asked to end, it
# finishes the job that it has. What a job says and how it ended is in /srv/results.
slot=$(basename "$(dirname "$HOME")")
stop=
trap 'stop=1' TERM
while [ -z "$stop" ]; do
  for job in /srv/jobs/"$slot".*; do
    result=/srv/results/${job##*/}
    if [ ! -e "$job" ] || [ -e "$result.taken" ]; then continue; fi
    : >"$result.taken"
    sh "$job" >"$result.out" 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
      wait "$pid"
      code=$?
    done
    echo "$code" >"$result.code"
    exit "$code"
  done
  sleep 0.1
done

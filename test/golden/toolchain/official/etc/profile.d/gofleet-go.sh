# Written by gofleet; change the program that declares it, not this file.
_gofleet_dir=/etc/gofleet/go/goroot/bin
_gofleet_path=":${PATH-}:"
while :; do
  case "$_gofleet_path" in
    *":$_gofleet_dir:"*)
      _gofleet_path="${_gofleet_path%%":$_gofleet_dir:"*}:${_gofleet_path#*":$_gofleet_dir:"}" ;;
    *) break ;;
  esac
done
_gofleet_path="${_gofleet_path#:}"
_gofleet_path="${_gofleet_path%:}"
PATH="$_gofleet_dir${_gofleet_path:+:$_gofleet_path}"
export PATH
unset _gofleet_dir _gofleet_path

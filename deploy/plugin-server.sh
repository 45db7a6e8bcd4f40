#!/bin/sh
# plugin-server NAME [OPTION...]: writes the plugin's dump for Kong, then serves the plugin on its socket.
#
# Kong reads the dump once, while it starts, from the volume that both share: it is complete before the socket is
# there, and replaced in one step, so that a Kong that starts meanwhile never reads half of it.
set -eu
name=$1
shift
dir=${KONG_PLUGINS_DIR:-/run/kong-plugins}
python -m kong.plugins "$name" --dump > "$dir/.$name.json.$$"
mv "$dir/.$name.json.$$" "$dir/$name.json"
exec python -m kong.plugins "$name" --socket "$dir/$name.socket" "$@"

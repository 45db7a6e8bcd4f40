#!/bin/sh
# plugin-server NAME [OPTION...]: writes the plugin's dump for Kong, then serves the plugin on its socket.
#
# Kong reads the dump once, while it starts, from the volume that both share: it is complete before the socket is there, and
# replaced in one step, so that a Kong that starts meanwhile never reads half of it. REDIS_URL may come from the file
# that REDIS_URL_FILE names (a Docker secret).
set -eu
name=$1
shift
dir=${KONG_PLUGINS_DIR:-/run/kong-plugins}
if [ -n "${REDIS_URL_FILE:-}" ]; then
	REDIS_URL=$(cat "$REDIS_URL_FILE")
	export REDIS_URL
	unset REDIS_URL_FILE
fi
python -m kong.plugins "$name" --dump > "$dir/.$name.json.new"
mv "$dir/.$name.json.new" "$dir/$name.json"
exec python -m kong.plugins "$name" --socket "$dir/$name.socket" "$@"

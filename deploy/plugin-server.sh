#!/bin/sh
# plugin-server NAME [OPTION...]: serves one plugin, its socket and its dump in the volume that Kong reads.
#
# REDIS_URL may come from the file that REDIS_URL_FILE names (a Docker secret).
set -eu
name=$1
shift
dir=${KONG_PLUGINS_DIR:-/run/kong-plugins}
if [ -n "${REDIS_URL_FILE:-}" ]; then
	REDIS_URL=$(cat "$REDIS_URL_FILE")
	export REDIS_URL
	unset REDIS_URL_FILE
fi
exec python -m kong.plugins "$name" --socket "$dir/$name.socket" --dump-to "$dir/$name.json" "$@"

#!/bin/sh
# plugin-server NAME [OPTION...]: serves one plugin, its socket and its dump in the volume that Kong reads.
set -eu
name=$1
shift
dir=${KONG_PLUGINS_DIR:-/run/kong-plugins}
exec python -m kong.plugins "$name" --socket "$dir/$name.socket" --dump-to "$dir/$name.json" "$@"

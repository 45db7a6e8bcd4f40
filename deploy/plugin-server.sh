#!/bin/sh
# plugin-server NAME [OPTION...]: serves one plugin, its socket and its dump in the volume that Kong reads.
#
# The container that started last serves: so a new one takes the place of the old one while that still answers (deploy/rollout.py).
set -eu
name=$1
shift
dir=${KONG_PLUGINS_DIR:-/run/kong-plugins}
exec python -m kong.plugins "$name" --socket "$dir/$name.socket" --dump-to "$dir/$name.json" --take-over "$@"

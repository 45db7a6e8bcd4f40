#!/bin/sh
# Renders kong.yml.template, waits for the plugin servers, becomes Kong. Runs in the stock image (POSIX sh, awk) and on a
# machine with a `kong` of its own; arguments, if any, replace the command that starts Kong.
set -eu

GATEHOUSE_HOME=$(cd "$(dirname "$0")" && pwd)
KONG_PLUGINS_DIR=${KONG_PLUGINS_DIR:-/run/kong-plugins}
KONG_DECLARATIVE_CONFIG=${KONG_DECLARATIVE_CONFIG:-/tmp/kong.yml}
export GATEHOUSE_HOME KONG_PLUGINS_DIR KONG_DECLARATIVE_CONFIG

template=${KONG_TEMPLATE:-}
for candidate in "$GATEHOUSE_HOME/kong.yml.template" "$GATEHOUSE_HOME/../kong.yml.template"; do
  if [ -z "$template" ] && [ -e "$candidate" ]; then template=$candidate; fi
done
[ -n "$template" ] || {
  echo "kong.yml.template is neither in $GATEHOUSE_HOME nor above it; KONG_TEMPLATE can name it" >&2
  exit 1
}

sh "$GATEHOUSE_HOME/render.sh" "$template" "$KONG_DECLARATIVE_CONFIG"

# shellcheck source=kong/environment.sh
. "$GATEHOUSE_HOME/environment.sh"

# Kong reads each dump once, while it starts, and a server without a socket would answer 500 for a while.
deadline=${KONG_PLUGINS_WAIT:-30} # seconds
for name in $(echo "$KONG_PLUGINSERVER_NAMES" | tr ',' ' '); do
  while [ ! -s "$KONG_PLUGINS_DIR/$name.json" ] || [ ! -S "$KONG_PLUGINS_DIR/$name.socket" ]; do
    if [ "$deadline" -le 0 ]; then
      echo "the plugin server $name is not there: no $name.json and $name.socket in $KONG_PLUGINS_DIR" >&2
      exit 1
    fi
    deadline=$((deadline - 1))
    sleep 1
  done
done

if [ $# -eq 0 ]; then
  set -- /docker-entrypoint.sh kong docker-start
fi

# Kong's reason for refusing the file is one line above a Lua stack trace: show the reason, point at the template.
# A loop of the shell's own, since awks read a pipe in blocks and would hold lines back.
explain() {
  trap '' INT TERM QUIT # ends with the stream, after Kong
  in_trace=false
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      "stack traceback:"*)
        in_trace=true
        continue
        ;;
      "	"*)
        if $in_trace; then continue; fi
        ;;
      *": error parsing declarative config file "*)
        echo "Kong refuses $template (rendered to $KONG_DECLARATIVE_CONFIG, the same lines):"
        line=
        ;;
      "failed parsing declarative configuration: "[0-9]*:[0-9]*": "*)
        reason=${line#"failed parsing declarative configuration: "}
        line="$template:${reason%%:*}: ${reason#*:*: }"
        ;;
    esac
    in_trace=false
    if [ -n "$line" ]; then printf '%s\n' "$line"; fi
  done
}

errors=$(mktemp -u "${TMPDIR:-/tmp}/kong-errors.XXXXXX")
mkfifo -m 600 "$errors"
explain <"$errors" >&2 &
exec 2>"$errors"
rm -f "$errors"
exec "$@"

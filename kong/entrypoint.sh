#!/bin/sh
# Renders kong.yml.template, waits for the plugin servers, becomes Kong. Runs in the stock image (POSIX sh, awk, bash) and on a
# machine with a `kong` of its own; arguments, if any, replace the command that starts Kong.
#
# A template that cannot be rendered, or that Kong refuses, stops the start; but where KONG_STATE_DIR holds a configuration that
# worked before, Kong goes on with that one, and says so again and again. So it does where Kong takes a file that does not work.
set -eu

GATEHOUSE_HOME=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=kong/configuration.sh
. "$GATEHOUSE_HOME/configuration.sh"
# shellcheck source=kong/explain.sh
. "$GATEHOUSE_HOME/explain.sh"

REMIND_SECONDS=${KONG_FALLBACK_REMIND_SECONDS:-60}

# What is on disk is rejected for the reason given: the last configuration that worked takes its place.
fall_back() {
  cp "$worked" "$KONG_DECLARATIVE_CONFIG"
  printf '%s\n' "$1" >"$fallback"
  echo "FALLBACK: Kong goes on with the last configuration that worked. Correct $template, then reload (make reload)." >&2
}

rm -f "$refusal" "$refusal.heard" "$failure" "$fallback" "$broken"
if ! reason=$(sh "$GATEHOUSE_HOME/render.sh" "$template" "$KONG_DECLARATIVE_CONFIG" 2>&1); then
  printf '%s\n' "$reason" >&2
  if [ -z "$worked" ] || [ ! -s "$worked" ]; then exit 1; fi
  fall_back "$reason"
fi

# shellcheck source=kong/environment.sh
. "$GATEHOUSE_HOME/environment.sh"
# shellcheck source=kong/trial.sh
. "$GATEHOUSE_HOME/trial.sh"

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

# Of a Kong that was killed: a new one would not take its socket's name.
(umask 077 && mkdir -p "$KONG_CONTROL_DIR")
rm -f "$KONG_CONTROL_DIR/admin.socket"

errors=$(mktemp -u "${TMPDIR:-/tmp}/kong-errors.XXXXXX")
mkfifo -m 600 "$errors"
explain <"$errors" >&2 &
exec 2>"$errors"
rm -f "$errors"

# What is wrong with the configuration in force; nothing if nothing is, fails if it is not the file's yet.
wrong() {
  case $(hash_in_force) in
    "$EMPTY") echo "it has no services: Kong takes it, and answers 404 to everything" ;;
    "$(hash_of "$KONG_DECLARATIVE_CONFIG")")
      rm -f "$failure"
      asked=$(answers) || return 0 # a port that cannot be asked
      printf '%s\n' "$asked" | judged /dev/null - "$KONG_DECLARATIVE_CONFIG"
      ;;
    *) return 1 ;;
  esac
}

# What only the file can be to blame for: a plugin server that is away fails requests as well.
blamed() {
  printf '%s\n' "$1" | grep -qv -e '^GET .*: 500' -e '^GET .*: no answer' -e '^and [0-9]* more$'
}

# Beside Kong, which this process becomes: keeps a configuration that has come into force and works. Another one makes way for what worked, or is
# complained of again and again.
attend() {
  waited=0
  blames=0
  while sleep 1 && kill -0 "$1" 2>/dev/null; do
    if [ -e "$fallback" ]; then
      waited=$((waited + 1))
      if [ $((waited % REMIND_SECONDS)) -eq 0 ]; then
        echo "FALLBACK: Kong runs on an older configuration than $template: $(head -n 2 "$fallback" | tail -n 1)" >&2
      fi
      continue
    fi
    if [ "$waited" -gt 10 ] && [ $((waited % REMIND_SECONDS)) -ne 0 ]; then
      waited=$((waited + 1))
      continue
    fi
    found=$(wrong) || continue
    if [ -z "$found" ]; then
      rm -f "$broken"
      remember
      return
    fi
    if blamed "$found" && [ -s "$worked" ] && ! cmp -s "$worked" "$KONG_DECLARATIVE_CONFIG"; then
      blames=$((blames + 1))
      if [ "$blames" -lt 3 ]; then continue; fi
      waited=0
      found=$(printf '%s\n' "Kong took $template, and it does not work:" "$found")
      printf '%s\n' "$found" >&2
      fall_back "$found"
      tries=20 # it may be loading another one
      until [ "$(hash_in_force)" = "$(hash_of "$KONG_DECLARATIVE_CONFIG")" ] || [ "$tries" -eq 0 ]; do
        tries=$((tries - 1))
        ask POST /config "$KONG_DECLARATIVE_CONFIG" >/dev/null || :
        sleep 0.5
      done
    elif [ $((waited % REMIND_SECONDS)) -eq 0 ] && { [ "$waited" -gt 0 ] || blamed "$found"; }; then
      printf '%s\n' "BROKEN: Kong took $template, and it does not work:" "$found" >&2
      printf '%s\n' "$found" >"$broken"
    fi
    waited=$((waited + 1))
  done
}
if [ -n "$worked" ]; then attend $$ & fi

# A configuration that never ran, with one to fall back on: this shell stays until Kong has ended, to start it once more.
if [ -n "$worked" ] && [ -s "$worked" ] && ! cmp -s "$worked" "$KONG_DECLARATIVE_CONFIG"; then
  "$@" &
  kong=$!
  for signal in TERM INT QUIT; do
    # shellcheck disable=SC2064 # this signal, and this process
    trap "stopped=true; kill -$signal $kong 2>/dev/null || :" "$signal"
  done
  stopped=false
  status=0
  while kill -0 "$kong" 2>/dev/null; do
    status=0
    wait "$kong" || status=$?
  done
  trap - TERM INT QUIT
  if $stopped || [ "$status" -eq 0 ]; then exit "$status"; fi
  echo "$KONG_ENDED" >&2
  tries=150 # a fifth of a second each: what Kong said last may still be on its way
  while [ ! -e "$refusal.heard" ] && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.2
  done
  rm -f "$refusal.heard"
  if [ ! -s "$refusal" ]; then exit "$status"; fi
  fall_back "$(cat "$refusal")"
fi
exec "$@"

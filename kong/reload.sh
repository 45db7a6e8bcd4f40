#!/bin/sh
# reload.sh [-]: lets the running Kong take over the edited kong.yml.template, without a gap. With - the template is read from
# standard input: a file that an editor has replaced is another one than a container has mounted.
#
# Exit status 0 means that the edit is in force, by the hash that Kong reports, and that requests were answered as they should be. Else nothing has
# changed, on disk as in Kong, and the reason is shown with FILE:LINE. Kong takes the file over its own socket (POST /config): no worker ends, so no
# connection does.
set -eu

GATEHOUSE_HOME=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=kong/configuration.sh
. "$GATEHOUSE_HOME/configuration.sh"
# shellcheck source=kong/environment.sh
. "$GATEHOUSE_HOME/environment.sh"
# shellcheck source=kong/trial.sh
. "$GATEHOUSE_HOME/trial.sh"

SETTLE_TRIES=5 # a fifth of a second each: the workers build their routers after Kong has answered
work=$KONG_DECLARATIVE_CONFIG.reloading
candidate=$work/kong.yml
shown=$template

refuse() {
  printf '%s\n' "$@" "Nothing was changed." >&2
  exit 1
}

put_back() { # and whether it is in force again
  posted=false
  tries=20
  until [ "$(hash_in_force)" = "$(hash_of "$KONG_DECLARATIVE_CONFIG")" ]; do
    if [ "$tries" -eq 0 ]; then
      printf '%s\n' "$@" "The former configuration could not be put back: the edit is still in force. Correct it and reload, or restart Kong." >&2
      exit 1
    fi
    tries=$((tries - 1))
    ask POST /config "$KONG_DECLARATIVE_CONFIG" >/dev/null || :
    sleep 0.5
  done
}

umask 077
if ! mkdir "$work" 2>/dev/null; then
  holder=$(cat "$work/pid" 2>/dev/null) || holder=
  if [ -n "$holder" ] && kill -0 "$holder" 2>/dev/null; then refuse "another reload is under way (process $holder)"; fi
fi
echo $$ >"$work/pid"
posted=false # whether Kong may have what is not on disk
trap 'if $posted; then put_back; fi; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if [ "${1:-}" = - ]; then
  shown=kong.yml.template
  template=$work/kong.yml.template
  cat >"$template"
elif [ "$(stat -c %h "$template" 2>/dev/null || echo 1)" = 0 ]; then
  refuse "$template was replaced outside of this container, which still has the former one: use make reload, or restart Kong"
fi

sh "$GATEHOUSE_HOME/render.sh" "$template" "$candidate" 2>"$work/reason" || refuse "$(sed "s|^$work/||" "$work/reason")"
template=$shown
wanted=$(hash_of "$candidate")

answers >"$work/before" || :

rm -f "$refusal"
tries=10
posted=true
while :; do
  ask POST /config "$candidate" >"$work/answer" || { posted=false && refuse "Kong does not answer on $KONG_CONTROL_DIR/admin.socket"; }
  status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$work/answer")
  tries=$((tries - 1))
  if [ "$status" != 429 ] || [ "$tries" -eq 0 ]; then break; fi
  sleep 0.5 # another configuration is being loaded
done
if [ "$status" = 400 ]; then
  awk -f "$GATEHOUSE_HOME/reason.awk" "$work/answer" >"$work/reason"
  refuse "$(located "$work/reason" "$candidate" | sed "s|rendered to $work/|rendered as |")"
fi
if [ "$status" = 500 ]; then
  refuse "Kong breaks off over $shown and does not say where: an entry may be empty, a name may stand in the place of an entry, or a plugin may name a service, route or consumer that is not in the file. Or Kong could not load it, as its log says: $(tail -n 1 "$work/answer")"
fi
[ "$status" = 201 ] || refuse "Kong answers $status: $(tail -n 1 "$work/answer")"

tries=$SETTLE_TRIES
while in_force=$(hash_in_force) && { [ "$tries" -gt 0 ] || [ "$in_force" != "$wanted" ]; }; do
  if [ "$in_force" = "$EMPTY" ]; then
    set -- "$shown has no services: Kong takes it, and would answer 404 to everything"
    put_back "$@"
    refuse "$@"
  fi
  if [ -s "$refusal" ] || [ "$tries" -lt -50 ]; then
    set -- "Kong took $shown and could not build its routes from it: $(cat "$refusal" 2>/dev/null)"
    put_back "$@"
    refuse "$@"
  fi
  tries=$((tries - 1))
  sleep 0.2
done

# Kong has it, and may not be able to work with it. A plugin server that is being restarted fails for a moment, and requests from before the edit
# end with the functions of before: so what fails is asked again.
tries=3
while :; do
  rm -f "$failure"
  answers >"$work/after" || break
  judged "$work/before" "$work/after" "$candidate" >"$work/wrong"
  tries=$((tries - 1))
  if [ ! -s "$work/wrong" ]; then break; fi
  if [ "$tries" -eq 0 ] || { [ "$tries" -eq 1 ] && [ -s "$failure" ]; }; then
    set -- "Kong took $shown, and it does not work:" "$(cat "$work/wrong")"
    put_back "$@"
    refuse "$@" "The former configuration is in force again."
  fi
  sleep 1
done
mv -f "$candidate" "$KONG_DECLARATIVE_CONFIG"
posted=false
rm -f "$fallback" "$broken"
remember
echo "$shown is in force ($wanted)"
told "$work/before" "$work/after"

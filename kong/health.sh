#!/bin/sh
# The container's health check: Kong has a configuration in force, and it works. What is printed stands in `docker inspect`.
set -eu

GATEHOUSE_HOME=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=kong/configuration.sh
. "$GATEHOUSE_HOME/configuration.sh"

[ -n "$(hash_in_force)" ] || {
  echo "Kong's Admin API does not answer" >&2
  exit 1
}
if [ -e "$fallback" ]; then
  echo "FALLBACK: Kong runs on an older configuration than $template:"
  cat "$fallback"
fi
if [ -e "$broken" ]; then
  echo "BROKEN: Kong took $template, and it does not work:" >&2
  cat "$broken" >&2
  exit 1
fi

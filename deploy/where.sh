#!/bin/sh
# where.sh: which stack of this checkout `make backup` and `make restore` mean: "local" (make up) or "compose".
#
# GATEHOUSE_STACK=local or GATEHOUSE_STACK=compose says it. Else it is the compose project, if it has containers, and the local one without; both are ambiguous.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
case ${GATEHOUSE_STACK:-} in
local | compose)
	echo "$GATEHOUSE_STACK"
	exit
	;;
?*)
	echo "GATEHOUSE_STACK is $GATEHOUSE_STACK: it may be local or compose" >&2
	exit 1
	;;
esac

containers=$(docker compose ps --all --quiet 2> /dev/null || true)
status=3
state=
if [ -x .venv/bin/python ]; then
	status=0
	.venv/bin/python -m devstack status > /dev/null 2>&1 || status=$?
	state=$(.venv/bin/python -m devstack state) # .env may say where it is
fi
if [ -n "$containers" ]; then
	[ "$status" -eq 3 ] || { echo "a stack runs under make up, and compose has one too: say GATEHOUSE_STACK=local or GATEHOUSE_STACK=compose" >&2; exit 1; }
	echo compose
elif [ "$status" -ne 3 ] || [ -d "$state" ]; then
	echo local
else
	echo compose # which says what is wrong with it
fi

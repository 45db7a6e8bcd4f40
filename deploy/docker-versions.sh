#!/bin/sh
# docker-versions.sh: fails with a sentence where Docker or Compose is missing or older than what Gatehouse was tried on.
set -eu
ENGINE=20.10
COMPOSE=2.26

at_least() { # WANTED FOUND
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n | head -n 1)" = "$1" ]
}

engine=$(docker version --format '{{.Server.Version}}' 2> /dev/null) || {
	echo "no Docker engine answers: Docker Engine $ENGINE or newer is needed" >&2
	exit 1
}
compose=$(docker compose version --short 2> /dev/null) || {
	echo "docker compose is missing: the Compose plugin $COMPOSE or newer is needed (docker-compose with a hyphen is too old)" >&2
	exit 1
}
at_least "$ENGINE" "$engine" || {
	echo "Docker Engine $engine is too old: $ENGINE or newer is needed" >&2
	exit 1
}
at_least "$COMPOSE" "${compose#v}" || {
	echo "Docker Compose $compose is too old: $COMPOSE or newer is needed" >&2
	exit 1
}

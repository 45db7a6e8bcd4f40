#!/bin/sh
# PostgreSQL, and at each start the databases and roles that are missing: an update that brings a service needs nothing by hand.
# The container is healthy when they are there (/tmp/databases).
set -eu
rm -f /tmp/databases
# In a second subshell, so that it belongs to the container's init and not to the server. Over TCP: while the first start sets the server
# up, that listens on its Unix socket only.
(
	(
		until pg_isready --quiet --host 127.0.0.1 --username "$POSTGRES_USER"; do sleep 0.2; done
		# A standby takes no write, and has them from its primary.
		[ -e "${PGDATA:-/var/lib/postgresql/data}/standby.signal" ] || sh /gatehouse/create-databases.sh
		: > /tmp/databases
	) &
)
# Terse, whatever command a compose file gives: what two rows have in common may be somebody's e-mail address.
exec docker-entrypoint.sh "$@" -c log_error_verbosity=terse

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
		sh /gatehouse/create-databases.sh && : > /tmp/databases
	) &
)
exec docker-entrypoint.sh "$@"

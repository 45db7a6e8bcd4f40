#!/bin/sh
# Starts Redis with one password for its clients; without it a client may say PING and nothing else (the health check).
#
# The password comes from REDIS_PASSWORD or the file that REDIS_PASSWORD_FILE names (a Docker secret). It is written as a hash to an ACL
# file in memory, never to the command line.
set -eu
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then REDIS_PASSWORD=$(cat "$REDIS_PASSWORD_FILE"); fi
: "${REDIS_PASSWORD:?is not set}"
case ${APP_ENV:-development}:$REDIS_PASSWORD in
production:development*)
	echo "REDIS_PASSWORD holds a development secret, which production refuses" >&2
	exit 1
	;;
esac
hash=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
umask 077
cat > /tmp/users.acl <<ACL
user default on nopass resetkeys resetchannels -@all +ping
user gatehouse on #$hash ~* &* +@all -@admin -@dangerous +info
ACL
# Sessions and idempotency outcomes are promises: appended to disk every second, and never evicted to make room.
exec redis-server --aclfile /tmp/users.acl --appendonly yes --appendfsync everysec \
	--maxmemory "${REDIS_MAXMEMORY:-256mb}" --maxmemory-policy noeviction --save '' --dir /data

#!/bin/sh
# Redis: start.sh starts it, start.sh snapshot writes its data to standard output, start.sh restore reads such data before a start.
#
# The password comes from REDIS_PASSWORD or from the file that REDIS_PASSWORD_FILE names (a Docker secret). It reaches Redis as a hash in
# an ACL file in memory, never on a command line. Without it a client may say PING and nothing else: the health check.
set -eu
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then REDIS_PASSWORD=$(cat "$REDIS_PASSWORD_FILE"); fi
: "${REDIS_PASSWORD:?is not set}"
case ${APP_ENV:-development}:$REDIS_PASSWORD in
production:development*)
	echo "REDIS_PASSWORD holds a development secret, which production refuses" >&2
	exit 1
	;;
esac
umask 077

case ${1:-start} in
start)
	hash=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
	cat > /tmp/users.acl <<-ACL
		user default on nopass resetkeys resetchannels -@all +ping
		user gatehouse on #$hash ~* &* +@all -@admin -@dangerous +info
		user backup on #$hash resetkeys resetchannels -@all +ping +psync +sync +replconf
	ACL
	# Sessions and idempotency outcomes are promises: appended to disk every second, never evicted to make room.
	exec redis-server --aclfile /tmp/users.acl --appendonly yes --appendfsync everysec \
		--maxmemory "${REDIS_MAXMEMORY:-256mb}" --maxmemory-policy noeviction --save '' --dir /data
	;;
snapshot)
	# By way of a file: to a pipe, redis-cli would leave the transfer's end mark in the data.
	trap 'rm -f /data/snapshot.rdb' EXIT
	REDISCLI_AUTH=$REDIS_PASSWORD redis-cli --user backup --rdb /data/snapshot.rdb > /tmp/snapshot.log 2>&1 ||
		{ cat /tmp/snapshot.log >&2; exit 1; }
	cat /data/snapshot.rdb
	;;
restore)
	# An append-only log may begin with a snapshot: this one, and nothing after it.
	rm -rf /data/appendonlydir /data/dump.rdb
	mkdir /data/appendonlydir
	cat > /data/appendonlydir/appendonly.aof.1.base.rdb
	echo 'file appendonly.aof.1.base.rdb seq 1 type b' > /data/appendonlydir/appendonly.aof.manifest
	redis-check-aof /data/appendonlydir/appendonly.aof.manifest > /tmp/check.log || { cat /tmp/check.log >&2; exit 1; }
	;;
*)
	echo "usage: start.sh [start|snapshot|restore]" >&2
	exit 2
	;;
esac

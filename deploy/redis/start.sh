#!/bin/sh
# Redis: start.sh starts it, start.sh snapshot writes its data to standard output, start.sh restore reads such data before a start,
# start.sh check only says whether it could.
#
# Each user of users.acl has a password of its own, from the variable that is named there or from the file that NAME_FILE names (a Docker
# secret). They reach Redis as hashes in an ACL file in memory, never on a command line.
set -eu
USERS=${REDIS_USERS:-/gatehouse/users.acl}

# password NAME: its value. Fails where it is missing, or one for development in production.
password() {
	eval "value=\${$1:-} file=\${$1_FILE:-}"
	if [ -n "$file" ]; then
		value=$(cat "$file")
		value=${value%"$(printf '\r')"} # an editor's line end is no part of it (common/secret_files.py)
	fi
	[ -n "$value" ] || { echo "$1 is not set" >&2; return 1; }
	case ${APP_ENV:-development}:$value in
	production:development*)
		echo "$1 holds a development secret, which production refuses" >&2
		return 1
		;;
	esac
	printf %s "$value"
}

# users: the ACL file, with hashes.
users() {
	rules=$(sed '/^#/d' "$USERS")
	for name in $(printf %s "$rules" | grep -o '#[A-Z_]*' | tr -d '#'); do
		secret=$(password "$name") || return 1
		hash=$(printf %s "$secret" | sha256sum | cut -d ' ' -f 1)
		rules=$(printf %s "$rules" | sed "s/#$name /#$hash /")
	done
	printf '%s\n' "$rules"
}

umask 077

case ${1:-start} in
start)
	acl=${TMPDIR:-/tmp}/users.acl
	users > "$acl"
	# Appended to disk every second, which keeps most of it: what was promised is in PostgreSQL. Never evicted to make room.
	exec redis-server --aclfile "$acl" --appendonly yes --appendfsync everysec \
		--maxmemory "${REDIS_MAXMEMORY:-256mb}" --maxmemory-policy noeviction --save '' --dir /data
	;;
snapshot)
	# By way of a file: to a pipe, redis-cli would leave the transfer's end mark in the data.
	trap 'rm -f /data/snapshot.rdb' EXIT
	REDISCLI_AUTH=$(password REDIS_PASSWORD)
	export REDISCLI_AUTH
	redis-cli --user backup --rdb /data/snapshot.rdb > /tmp/snapshot.log 2>&1 ||
		{ cat /tmp/snapshot.log >&2; exit 1; }
	cat /data/snapshot.rdb
	;;
check | restore)
	# An append-only log may begin with a snapshot: this one, and nothing after it. The old data is removed after the new file was checked.
	trap 'rm -rf /data/restored' EXIT
	rm -rf /data/restored
	mkdir /data/restored
	cat > /data/restored/appendonly.aof.1.base.rdb
	echo 'file appendonly.aof.1.base.rdb seq 1 type b' > /data/restored/appendonly.aof.manifest
	redis-check-aof /data/restored/appendonly.aof.manifest > /tmp/check.log || { cat /tmp/check.log >&2; exit 1; }
	if [ "$1" = restore ]; then
		rm -rf /data/appendonlydir /data/dump.rdb
		mv /data/restored /data/appendonlydir
	fi
	;;
*)
	echo "usage: start.sh [start|snapshot|check|restore]" >&2
	exit 2
	;;
esac

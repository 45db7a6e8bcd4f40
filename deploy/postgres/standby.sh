#!/bin/sh
# One of the two PostgreSQL of deploy/compose.standby.yaml, inside its container. deploy/standby.sh is what people call.
#
# Which of the two is the primary, its data directory says: with standby.signal in it, a server follows and takes no write, whoever starts
# it. That is the fence, too. NAME is this one's, PEER the other's; with COPY=1 an empty directory is filled from the peer. The archive,
# WAL and base backups, is one volume of both.
set -eu
archive=/var/tmp # everybody may write there in the image, and the volume takes that from it
data=${PGDATA:-/var/lib/postgresql/data}
slot=$(printf %s "$NAME" | tr - _)
# Not in the data directory, which base backups copy. Written at each start, since the password may be another one.
export PGPASSFILE=/tmp/pgpass
at_peer="host=$PEER port=5432 user=$POSTGRES_USER dbname=postgres application_name=$NAME passfile=$PGPASSFILE"

keep_password() {
	password=${POSTGRES_PASSWORD:-}
	[ -n "$password" ] || password=$(cat "$POSTGRES_PASSWORD_FILE")
	(umask 077 && printf '*:*:*:*:%s\n' "$(printf %s "$password" | sed 's/[\\:]/\\&/g')" > "$PGPASSFILE")
}

ask() { # STATEMENT: of the server in this container
	psql --no-psqlrc -At -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -c "$1"
}

ask_peer() {
	psql --no-psqlrc -At -v ON_ERROR_STOP=1 --dbname "$at_peer" -c "$1"
}

make_slot() { # at the peer: it keeps the WAL that this one has not seen yet
	ask_peer "SELECT pg_create_physical_replication_slot('$slot') WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" > /dev/null
}

admit_peer() { # the first start writes a pg_hba.conf that lets no other machine replicate
	line='host replication postgres samenet scram-sha-256'
	grep -qxF "$line" "$data/pg_hba.conf" || echo "$line" >> "$data/pg_hba.conf"
	ask 'SELECT pg_reload_conf()' > /dev/null
}

copy_peer() {
	echo "copying $PEER"
	until psql --no-psqlrc --quiet --dbname "$at_peer replication=true" -c IDENTIFY_SYSTEM > /dev/null 2>&1; do sleep 0.5; done
	make_slot
	chmod 700 "$data"
	pg_basebackup -d "$at_peer" -D "$data" --slot "$slot" --checkpoint fast --wal-method stream --write-recovery-conf
}

backups() { # the oldest first
	find "$archive/base" -mindepth 1 -maxdepth 1 | sort
}

case $1 in
start) # the server
	keep_password
	[ -s "$data/PG_VERSION" ] || [ -z "${COPY:-}" ] || copy_peer
	mkdir -p "$archive/wal" "$archive/base"
	(
		(
			until pg_isready --quiet --host 127.0.0.1 --username "$POSTGRES_USER"; do sleep 0.2; done
			admit_peer
		) &
	)
	file=$archive/wal/%f
	# The same segment twice is no fault, another one of its name is.
	store="if [ -e $file ]; then cmp -s %p $file; else cp %p $file.partial && sync $file.partial && mv $file.partial $file; fi"
	exec sh /gatehouse/start.sh postgres -c "cluster_name=$NAME" \
		-c wal_log_hints=on -c max_slot_wal_keep_size=1GB -c wal_receiver_timeout=10s -c wal_sender_timeout=10s \
		-c archive_mode=on -c archive_timeout=60 -c "archive_command=$store" \
		-c "restore_command=cp $archive/wal/%f %p" -c wal_retrieve_retry_interval=100ms
	;;
promote) # takes writes when it returns, and waits for no standby with them
	ask 'ALTER SYSTEM RESET synchronous_standby_names'
	[ "$(ask 'SELECT pg_promote(true, 60)')" = t ] || { echo "$NAME was not promoted within a minute" >&2; exit 1; }
	ask 'SELECT pg_reload_conf()' > /dev/null
	;;
rejoin) # a fenced server that is down becomes the peer's standby: what it has beyond that is undone
	[ -e "$data/standby.signal" ] || { echo "$NAME is not fenced" >&2; exit 1; }
	keep_password
	make_slot
	ask_peer CHECKPOINT # so that its control file names the timeline of its promotion
	: > "$data/standby.own" && mv "$data/standby.own" "$data/standby.signal" # the fence may be another account's file, and pg_rewind writes it
	pg_rewind -D "$data" --source-server "$at_peer" --write-recovery-conf
	printf "primary_slot_name = '%s'\nsynchronous_standby_names = ''\n" "$slot" >> "$data/postgresql.auto.conf"
	;;
wait) # on: each commit waits until the peer has it on its disk, and none is made without the peer
	case $2 in on) who="\"$PEER\"" ;; *) who= ;; esac
	ask "ALTER SYSTEM SET synchronous_standby_names = '$who'"
	ask 'SELECT pg_reload_conf()' > /dev/null
	;;
backup) # a copy of the running server, checked: a restore to any later moment begins from it. The latest seven are kept, and their WAL
	rm -rf "$archive/partial"
	pg_basebackup --username "$POSTGRES_USER" -D "$archive/partial" --checkpoint fast --wal-method stream
	pg_verifybackup --quiet "$archive/partial"
	made=$archive/base/$(date -u +%Y%m%dT%H%M%SZ)
	mv "$archive/partial" "$made"
	backups | head -n -7 | while read -r old; do rm -rf "$old"; done
	first=$(backups | head -n 1)
	pg_archivecleanup "$archive/wal" "$(sed -n 's/^START WAL LOCATION: .*(file \(.*\))$/\1/p' "$first/backup_label")"
	echo "$made"
	;;
archive) # returns once all that was committed so far is in the archive
	segment=$(ask 'SELECT pg_walfile_name(pg_current_wal_lsn())')
	ask 'SELECT pg_switch_wal()' > /dev/null
	tries=0
	until [ -e "$archive/wal/$segment" ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo "$segment is not in the archive after a minute" >&2; exit 1; }
		sleep 0.2
	done
	;;
restored) # a server of its own, as the databases were at RESTORE_TO: it writes to no archive and follows nobody
	if [ ! -s "$data/PG_VERSION" ]; then
		base=${RESTORE_FROM:-$(backups | tail -n 1)}
		[ -n "$base" ] || { echo "the archive has no base backup: deploy/standby.sh backup" >&2; exit 1; }
		echo "restoring $base up to $RESTORE_TO"
		cp -a "$base/." "$data"
		chmod 700 "$data"
		: > "$data/recovery.signal"
	fi
	exec docker-entrypoint.sh postgres -c log_error_verbosity=terse -c archive_mode=off -c "restore_command=cp $archive/wal/%f %p" \
		-c "recovery_target_time=$RESTORE_TO" -c recovery_target_inclusive=off -c recovery_target_timeline=latest \
		-c recovery_target_action=promote -c synchronous_standby_names=
	;;
*)
	echo "standby.sh $1: unknown" >&2
	exit 2
	;;
esac

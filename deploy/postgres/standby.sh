#!/bin/sh
# One of the two PostgreSQL of deploy/compose.standby.yaml, inside its container. deploy/standby.sh is what people call.
#
# Which of the two is the primary, its data directory says: with standby.signal in it, a server follows and takes no write, whoever starts
# it. That is the fence, too. NAME is this one's, PEER the other's; with COPY=1 an empty directory is filled from the peer. The archive,
# WAL and base backups, is one volume of both. PEER_HOST is where the peer is, if its name does not say it.
set -eu
archive=${ARCHIVE:-/var/tmp} # everybody may write there in the image, and the volume takes that from it
data=${PGDATA:-/var/lib/postgresql/data}
slot=$(printf %s "$NAME" | tr - _)
# While it is there, the data directory is half of a copy. pg_rewind takes the fence away until it is done, so this stands for it, and
# nowhere near it: what the peer does not have is removed.
unfinished=$archive/$NAME.unfinished
# Not in the data directory, which base backups copy. Written at each start, since the password may be another one.
export PGPASSFILE="${PGPASSFILE:-/tmp/pgpass}"
at_peer="host=${PEER_HOST:-$PEER} port=${PEER_PORT:-5432} user=$POSTGRES_USER dbname=postgres application_name=$NAME passfile=$PGPASSFILE"

refuse() {
	echo "$1" >&2
	exit 1
}

keep_password() {
	password=${POSTGRES_PASSWORD:-}
	[ -n "$password" ] || password=$(cat "$POSTGRES_PASSWORD_FILE")
	(umask 077 && printf '*:*:*:*:%s\n' "$(printf %s "$password" | sed 's/[\\:]/\\&/g')" > "$PGPASSFILE")
}

alone() { # SECONDS of patience. One container at a time has the data: the server, or a rejoin, which goes on when its command was broken off
	exec 9> "$archive/$NAME.lock"
	flock -n 9 && return
	echo "another container of $NAME has its data in use: waiting"
	timeout "$1" flock 9 || refuse "nothing was changed: another container of $NAME has its data in use"
}

ask() { # STATEMENT: of the server in this container
	psql --no-psqlrc -At -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -c "$1"
}

until_it_answers() { # on its way up a server refuses what it is asked, a standby until it has all of the WAL that its data need
	tries=0
	until pg_isready --quiet --username "$POSTGRES_USER"; do
		tries=$((tries + 1))
		[ "$tries" -lt $((${PATIENCE:-60} * 5)) ] || refuse "$NAME takes no connections: $(ask 'SELECT 1' 2>&1 || :)"
		sleep 0.2
	done
}

ask_peer() {
	PGCONNECT_TIMEOUT=5 psql --no-psqlrc -At -v ON_ERROR_STOP=1 --dbname "$at_peer" -c "$1"
}

make_slot() { # at the peer: it keeps the WAL that this one has not seen yet. One that did not keep it is of no use any more
	ask_peer "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$slot' AND wal_status = 'lost'" > /dev/null &&
		ask_peer "SELECT pg_create_physical_replication_slot('$slot', true) WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '$slot')" > /dev/null
}

admit_peer() { # the first start writes a pg_hba.conf that lets no other machine replicate
	line='host replication postgres samenet scram-sha-256'
	grep -qxF "$line" "$data/pg_hba.conf" || echo "$line" >> "$data/pg_hba.conf"
	ask 'SELECT pg_reload_conf()' > /dev/null
}

copy_peer() { # in place of what is there
	echo "copying $PEER"
	until psql --no-psqlrc --quiet --dbname "$at_peer replication=true" -c IDENTIFY_SYSTEM > /dev/null 2>&1; do sleep 0.5; done
	make_slot
	: > "$unfinished"
	find "$data" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	chmod 700 "$data"
	# By a name of its own: by this server's, a half of a copy would be the second disk that commits wait for.
	pg_basebackup -d "$at_peer application_name=$NAME-copy" -D "$data" --slot "$slot" --checkpoint fast --wal-method stream --write-recovery-conf
	follow_peer
	rm "$unfinished"
}

follow_peer() { # beside what pg_basebackup and pg_rewind write
	printf "primary_conninfo = '%s'\nprimary_slot_name = '%s'\nsynchronous_standby_names = ''\n" "$at_peer" "$slot" >> "$data/postgresql.auto.conf"
}

control() { # LABEL: what the control file says
	LC_ALL=C pg_controldata "$data" | sed -n "s/^$1: *//p"
}

limits() { # as the server had them: with less than its WAL tells of, none starts as a standby
	LC_ALL=C pg_controldata "$data" | sed -n 's/^max_prepared_xacts setting: */-c max_prepared_transactions=/p
		s/^max_locks_per_xact setting: */-c max_locks_per_transaction=/p
		s/^\(max_[a-z_]*\) setting: */-c \1=/p' | tr '\n' ' '
}

end_well() { # pg_rewind wants a server that was not killed: fenced as it is, it reads its WAL to the end and is stopped
	case $(control 'Database cluster state') in 'shut down' | 'shut down in recovery') return ;; esac
	rm -f "$data/postmaster.pid" # of a server in another container: here its number may be anybody's
	# Told of the promotion, it would not start once it has WAL beyond that: "requested timeline 2 does not contain minimum recovery
	# point". So on its own timeline, without the archive and the peer. Where that takes long, a copy is sooner there.
	own="-c recovery_target_timeline=current -c restore_command= -c primary_conninfo= -c primary_slot_name= -c archive_mode=off"
	pg_ctl -D "$data" --wait --timeout 600 --silent -o "$own $(limits) -c wal_log_hints=on -c listen_addresses= -c unix_socket_directories='$data'" start &&
		pg_ctl -D "$data" --wait --timeout 600 --silent --mode fast stop && return
	pg_ctl -D "$data" --wait --silent --mode immediate stop 2> /dev/null || true
	return 1
}

rewind() {
	# The fence may be another account's file, and pg_rewind writes it. What it has to read of its own WAL may be in the archive only; the
	# setting goes with all that the peer does not have.
	printf "restore_command = 'cp %s/wal/%%f %%p'\n" "$archive" >> "$data/postgresql.auto.conf" &&
		: > "$data/standby.own" && mv "$data/standby.own" "$data/standby.signal" && : > "$unfinished" &&
		pg_rewind -D "$data" --source-server "$at_peer" --restore-target-wal --write-recovery-conf && follow_peer && rm -f "$data/fenced" "$unfinished"
}

may_follow() { # or nothing is changed
	alone "${PATIENCE:-600}"
	keep_password
	[ "$(ask_peer 'SELECT pg_is_in_recovery()')" = f ] || refuse "nothing was changed: $PEER takes no writes"
	[ -s "$data/PG_VERSION" ] && [ ! -e "$unfinished" ] || return 0
	[ -e "$data/standby.signal" ] || refuse "nothing was changed: $NAME is not fenced"
	[ "$(control 'Database system identifier')" = "$(ask_peer 'SELECT system_identifier FROM pg_control_system()')" ] ||
		refuse "nothing was changed: the data of $NAME are of another database cluster than those of $PEER"
}

backups() { # the oldest first
	find "$archive/base" -mindepth 1 -maxdepth 1 | sort
}

case $1 in
start) # the server
	alone 5
	keep_password
	if [ -s "$data/PG_VERSION" ]; then
		[ ! -e "$unfinished" ] || refuse "$NAME is half of a copy, which was broken off: deploy/standby.sh rejoin"
	elif [ -n "${COPY:-}" ]; then
		copy_peer
	elif [ -n "$(ls "$archive/wal" 2> /dev/null)" ] || ask_peer 'SELECT 1' > /dev/null 2>&1; then
		# New, empty databases would take writes beside those of the peer.
		refuse "$NAME has lost its data: failover, where $PEER takes no writes yet, and then deploy/standby.sh rejoin. To begin anew, remove the archive, too"
	fi
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
	[ ! -e "$data/fenced" ] || refuse "$NAME was fenced when $PEER took over, and does not have what was written since: rejoin first, or rm $data/fenced where that is to be lost"
	until_it_answers
	ask 'ALTER SYSTEM RESET synchronous_standby_names' > /dev/null
	ask 'SELECT pg_reload_conf()' > /dev/null # before: no commit may wait for the one that is gone
	# What it is decides, not what it answers: an answer may be lost, and one that was promoted before has no promotion to begin.
	ask 'SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, 60) END' > /dev/null || until_it_answers
	[ "$(ask 'SELECT pg_is_in_recovery()')" = f ] || refuse "$NAME was not promoted within a minute"
	;;
rejoin) # a fenced server that is down becomes the peer's standby: what it has beyond that is undone, or all of it is copied anew
	may_follow
	if [ ! -s "$data/PG_VERSION" ]; then
		copy_peer
	elif [ -e "$unfinished" ]; then
		echo "$NAME is half of a copy, which was broken off: it is copied anew"
		copy_peer
	else
		make_slot
		ask_peer CHECKPOINT > /dev/null # so that its control file names the timeline of its promotion
		if end_well && rewind; then
			echo "$NAME has nothing any more that $PEER does not have"
		else
			echo "$NAME could not be rewound, for the reason above: it is copied anew"
			copy_peer
		fi
	fi
	;;
copy) # a fenced server that is down is copied anew from the peer
	may_follow
	copy_peer
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
	while [ -e "$made" ]; do # of this very second: mv would put the one into the other
		sleep 1
		made=$archive/base/$(date -u +%Y%m%dT%H%M%SZ)
	done
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

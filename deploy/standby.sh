#!/bin/sh
# standby.sh: the two PostgreSQL of deploy/compose.standby.yaml, which COMPOSE_FILE has to name.
#
#   standby.sh status              which of them takes writes, and which follows, is fenced or down
#   standby.sh failover            the one that follows takes over; the other one is killed and fenced before
#   standby.sh rejoin              the other one than the primary follows it: rewound, or copied anew where that cannot be. May be repeated
#   standby.sh wait on|off         on: a commit waits until it is on both disks, and none is made while one is down
#   standby.sh backup              a base backup into the archive: once before anything can be restored, then each day
#   standby.sh restore MOMENT      postgres-restored, as the databases were then ("2026-01-01 12:00:00+09")
set -eu
CDPATH='' cd "$(dirname "$0")/.."

refuse() {
	echo "$1" >&2
	exit 1
}

ask() { # SERVICE STATEMENT: one that hangs counts as down
	docker compose exec -T "$1" timeout 5 psql --no-psqlrc -At -U postgres -d postgres -c "$2"
}

role() { # SERVICE: primary, standby, fenced (it has not followed since), or down, and why on standard error
	case $(ask "$1" "SELECT pg_is_in_recovery(), (pg_stat_file('fenced', true)).size IS NOT NULL") in
	't|f') echo standby ;;
	't|t') echo fenced ;;
	f*) echo primary ;;
	*) echo down ;;
	esac
}

the() { # ROLE: the one of the two that has it. Nothing, where none has
	for each in postgres-standby postgres; do
		[ "$(role "$each")" != "$1" ] || { echo "$each"; return; }
	done
}

other() {
	case $1 in postgres) echo postgres-standby ;; *) echo postgres ;; esac
}

inside() { # SERVICE COMMAND…: in its running container
	service=$1
	shift
	docker compose exec -T "$service" sh /gatehouse/standby.sh "$@"
}

end_and_fence() { # SERVICE: it is down, if it was not, and what starts on its data takes no write. By Docker itself: a container more takes seconds
	container=$(docker compose ps --all --quiet "$1")
	[ -n "$container" ] || refuse "nothing was changed: $1 has no container, so it cannot be fenced"
	fence=$(mktemp -d)
	trap 'rm -rf "$fence"' EXIT
	# The second file goes when it has what its successor has: until then it is not promoted.
	(cd "$fence" && : > standby.signal && : > fenced && chmod 644 standby.signal fenced && tar -cf fence.tar standby.signal fenced)
	docker stop --time 0 "$container" > /dev/null
	docker cp - "$container:/var/lib/postgresql/data" < "$fence/fence.tar"
}

beside() { # SERVICE COMMAND…: on its data while it is down
	service=$1
	shift
	docker compose run --rm --no-deps -T "$service" "$@"
}

follows() { # SERVICE PRIMARY: as the primary says
	[ "$(ask "$2" "SELECT 1 FROM pg_stat_replication WHERE application_name = '$1' AND state = 'streaming'")" = 1 ]
}

start_and_follow() { # SERVICE PRIMARY: 1, where it ends by itself, or comes no nearer for minutes
	docker compose up --detach --no-deps "$1"
	container=$(docker compose ps --all --quiet "$1")
	seen=
	still=0
	until follows "$1" "$2"; do
		[ "$(docker inspect --format '{{.State.Running}} {{.RestartCount}}' "$container")" = "true 0" ] || return 1
		at=$(ask "$1" 'SELECT pg_last_wal_replay_lsn()' 2> /dev/null || echo starting)
		[ "$at" = "$seen" ] || still=0
		seen=$at
		still=$((still + 1))
		[ "$still" -lt 300 ] || return 1
		sleep 1
	done
}

primary() {
	found=$(the primary)
	[ -n "$found" ] || refuse "neither of the two takes writes"
	echo "$found"
}

case ${1:-} in
status)
	for each in postgres postgres-standby; do echo "$each: $(role "$each")"; done
	;;
failover)
	standby=$(the standby)
	if [ -z "$standby" ]; then
		now=$(the primary 2> /dev/null)
		refuse "nothing was changed: none of the two follows, so none can take over (one that is fenced does not have what was written since)${now:+. $now takes writes}"
	fi
	former=$(other "$standby")
	if [ "$(role "$former")" = primary ] && ! follows "$standby" "$former"; then
		refuse "nothing was changed: $former takes writes, which $standby does not have: rejoin first, or docker compose kill $former where they are to be lost"
	fi
	end_and_fence "$former"
	inside "$standby" promote
	echo "$standby takes writes; $former is down and fenced"
	;;
rejoin)
	primary=$(primary)
	former=$(other "$primary")
	if [ "$(role "$former")" = standby ] && follows "$former" "$primary"; then
		echo "$former follows $primary already"
		exit
	fi
	[ "$(role "$former")" != primary ] || refuse "nothing was changed: both take writes, so one of them has to be ended and fenced first"
	docker compose stop "$former"
	beside "$former" rejoin
	if ! start_and_follow "$former" "$primary"; then
		docker compose logs --tail 20 "$former" >&2
		echo "$former does not follow $primary, for the reason above: it is copied anew" >&2
		docker compose stop "$former"
		beside "$former" copy
		start_and_follow "$former" "$primary" || refuse "$former does not follow $primary: docker compose logs $former"
	fi
	echo "$former follows $primary"
	;;
wait)
	case ${2:-} in on | off) ;; *) refuse "standby.sh wait on, or off" ;; esac
	inside "$(primary)" wait "$2"
	;;
backup)
	inside "$(primary)" backup
	;;
restore)
	[ -n "${2:-}" ] || refuse "standby.sh restore MOMENT"
	inside "$(primary)" archive # what was committed up to now may be asked for
	docker compose --profile restored rm --stop --force --volumes postgres-restored
	docker volume ls --quiet --filter "label=com.docker.compose.project=$(docker compose config --format json | sed -n 's/^  "name": "\(.*\)",*$/\1/p')" \
		--filter label=com.docker.compose.volume=postgres_restored_data | xargs -r docker volume rm
	RESTORE_TO=$2 docker compose --profile restored up --detach --wait --no-deps postgres-restored
	;;
*)
	sed -n 's/^#   //p' "$0" >&2
	exit 2
	;;
esac

#!/bin/sh
# standby.sh: the two PostgreSQL of deploy/compose.standby.yaml, which COMPOSE_FILE has to name.
#
#   standby.sh status              which of them takes writes, and which follows
#   standby.sh failover            the one that follows takes over; the other one is killed and fenced before
#   standby.sh rejoin              the one that is fenced and down follows the other
#   standby.sh wait on|off         on: a commit waits until it is on both disks, and none is made while one is down
#   standby.sh backup              a base backup into the archive: once before anything can be restored, then each day
#   standby.sh restore MOMENT      postgres-restored, as the databases were then ("2026-01-01 12:00:00+09")
set -eu
CDPATH='' cd "$(dirname "$0")/.."

refuse() {
	echo "$1" >&2
	exit 1
}

role() { # SERVICE: primary, standby, or down
	case $(docker compose exec -T "$1" psql --no-psqlrc -At -U postgres -d postgres -c 'SELECT pg_is_in_recovery()' 2> /dev/null) in
	t) echo standby ;;
	f) echo primary ;;
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
	empty=$(mktemp)
	trap 'rm -f "$empty"' EXIT
	chmod 644 "$empty"
	docker stop --time 0 "$container" > /dev/null
	docker cp --quiet "$empty" "$container:/var/lib/postgresql/data/standby.signal"
}

beside() { # SERVICE COMMAND…: on its data while it is down
	service=$1
	shift
	docker compose run --rm --no-deps -T "$service" "$@"
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
	[ -n "$standby" ] || refuse "nothing was changed: none of the two follows, so none can take over"
	former=$(other "$standby")
	end_and_fence "$former"
	inside "$standby" promote
	echo "$standby takes writes; $former is down and fenced"
	;;
rejoin)
	primary=$(primary)
	former=$(other "$primary")
	# Fenced, it comes up and takes no write: pg_rewind wants one that was killed to have ended well since.
	docker compose up --detach --wait --no-deps "$former"
	docker compose stop "$former"
	beside "$former" rejoin
	docker compose up --detach --wait --no-deps "$former"
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

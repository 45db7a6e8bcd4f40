#!/bin/sh
# restore.sh DIRECTORY: puts a backup in place of what the compose project holds now, then starts the project again.
#
# COMPOSE_FILE chooses the project. Everything that was written after the backup is lost; sessions that were revoked after it are
# alive again until they expire (docs/operations.md says what to do if that matters). A database that the backup lacks stops the restore
# before anything changes; WITHOUT="wishlist" leaves that one as it is. A sealed backup opens with BACKUP_PASSPHRASE_FILE.
# Everything but PostgreSQL is stopped, each dump becomes a database NAME-restoring beside the one in use, and all of them change places at
# once: a restore that breaks off before that has changed nothing, and starts again what it stopped. The former ones are NAME-former
# until everything else is in its place too. No database of gatehouse.toml can have such a name: it has no hyphen.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
directory=${1:?usage: restore.sh DIRECTORY}
opened=
stopped=

ask() { docker compose exec -T postgres psql --no-psqlrc -At -v ON_ERROR_STOP=1 -d postgres -c "$1" < /dev/null; }
aside() { ask "SELECT datname FROM pg_database WHERE datname LIKE '%-$1'"; }
drop_aside() {
	for each in $(aside "$1"); do ask "DROP DATABASE \"$each\" WITH (FORCE)" > /dev/null; done
}

at_exit() {
	status=$?
	[ -z "$opened" ] || rm -rf "$opened"
	if [ "$status" -eq 0 ] || [ -z "$stopped" ]; then exit "$status"; fi
	former=$(aside former) || former=unknown
	if [ -z "$former" ]; then
		drop_aside restoring || true
		docker compose up --detach --wait || true
		echo "the restore failed, for the reason above: nothing was changed, and what had been stopped was started again" >&2
	else
		echo "the restore failed, for the reason above, and is not complete: databases may be the backup's already, and the former ones" \
			"NAME-former. Nothing was started. Restore again when the reason is gone; that drops them" >&2
	fi
	exit "$status"
}
trap at_exit EXIT
trap 'exit 1' HUP INT TERM # a shell that a signal ends leaves out its EXIT trap

for sealed in "$directory"/*.gpg; do
	[ -e "$sealed" ] || break
	opened=$(mktemp -d)
	deploy/seal.sh open "$directory" "$opened"
	directory=$opened
	break
done
[ -s "$directory/redis.rdb" ] || { echo "$directory/redis.rdb is missing or empty: nothing was changed" >&2; exit 1; }
for file in "$directory"/*.tar; do
	[ ! -e "$file" ] || tar -tf "$file" > /dev/null || { echo "$file is not whole: nothing was changed" >&2; exit 1; }
done

# Its start makes the roles, on an empty volume too.
docker compose up --detach --wait postgres
databases=$(ask "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' AND datname NOT LIKE '%-restoring' AND datname NOT LIKE '%-former' ORDER BY datname")
for database in $databases; do
	case " ${WITHOUT:-} " in *" $database "*) continue ;; esac
	[ -s "$directory/$database.dump" ] ||
		{ echo "$directory/$database.dump is missing or empty: nothing was changed (WITHOUT=\"$database\" leaves it as it is)" >&2; exit 1; }
done
roles=" $(ask "SELECT rolname FROM pg_roles" | tr '\n' ' ')"
for file in "$directory"/*.dump; do
	database=$(basename "$file" .dump)
	case $roles in
	*" $database "*) ;;
	*)
		echo "there is no role $database for $file: gatehouse.toml declares none. Nothing was changed" >&2
		exit 1
		;;
	esac
done
docker compose run --rm --no-deps -T redis check < "$directory/redis.rdb" ||
	{ echo "$directory/redis.rdb cannot be read by Redis: nothing was changed" >&2; exit 1; }

# What the shop sold from here on would be lost. PostgreSQL is needed for its own restore.
stopped=yes
docker compose stop
docker compose up --detach --wait postgres

# Those of a restore that was broken off.
drop_aside restoring
drop_aside former
end_connections=
change_places=
for file in "$directory"/*.dump; do
	database=$(basename "$file" .dump)
	aside=$database-restoring
	ask "CREATE DATABASE \"$aside\" OWNER \"$database\"" > /dev/null
	ask "REVOKE CONNECT, TEMPORARY ON DATABASE \"$aside\" FROM PUBLIC" > /dev/null
	case $roles in *" exporter "*) ask "GRANT CONNECT ON DATABASE \"$aside\" TO exporter" > /dev/null ;; esac
	docker compose exec -T postgres pg_restore --exit-on-error --single-transaction --no-owner --role="$database" --dbname="$aside" < "$file" ||
		{ echo "$file cannot be restored" >&2; exit 1; }
	docker compose exec -T postgres psql --no-psqlrc --quiet --output=/dev/null -v ON_ERROR_STOP=1 -d "$aside" < deploy/postgres/skip-numbers.sql
	end_connections="$end_connections SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('$database', '$aside');"
	change_places="$change_places ALTER DATABASE \"$database\" RENAME TO \"$database-former\"; ALTER DATABASE \"$aside\" RENAME TO \"$database\";"
done

# Who is not of the project, or of a profile that is not chosen, is connected still, and may come back between the two.
attempts=3
until ask "BEGIN; $end_connections $change_places COMMIT" > /dev/null; do
	attempts=$((attempts - 1))
	[ "$attempts" -gt 0 ] || { echo "the databases could not change places" >&2; exit 1; }
done
echo "restored $(cd "$directory" && echo *.dump)"

docker compose run --rm --no-deps -T redis restore < "$directory/redis.rdb"
echo "restored redis"

for file in "$directory"/*.tar; do
	[ -e "$file" ] || continue
	service=$(basename "$file" .tar)
	# The container's label says where its files are, so there has to be one.
	docker compose create --no-recreate "$service"
	files=$(docker inspect --format '{{index .Config.Labels "gatehouse.files"}}' "$(docker compose ps --all --quiet "$service" | head -n 1)")
	docker compose run --rm --no-deps -T --entrypoint sh "$service" -c "find '$files' -mindepth 1 -delete && tar -C '$files' -xf -" < "$file"
	echo "restored the files of $service"
done
docker compose up --detach --wait
stopped=
drop_aside former

#!/bin/sh
# restore.sh DIRECTORY: puts a backup in place of what the compose project holds now, then starts the project again.
#
# COMPOSE_FILE chooses the project. Everything that was written after the backup is lost; sessions that were revoked after it are
# alive again until they expire (docs/operations.md says what to do if that matters). A database that the backup lacks stops the restore
# before anything changes; WITHOUT="wishlist" leaves that one as it is. A sealed backup opens with BACKUP_PASSPHRASE_FILE.
# Each dump becomes a database beside the one in use, and all of them change places at once: a restore that breaks off has changed nothing.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
directory=${1:?usage: restore.sh DIRECTORY}
for sealed in "$directory"/*.gpg; do
	[ -e "$sealed" ] || break
	opened=$(mktemp -d)
	trap 'rm -rf "$opened"' EXIT
	trap 'exit 1' HUP INT TERM # a shell that a signal ends leaves out its EXIT trap
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
ask() { docker compose exec -T postgres psql --no-psqlrc -At -v ON_ERROR_STOP=1 -d postgres -c "$1" < /dev/null; }
databases=$(ask "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' AND datname NOT LIKE '%\_aside' ORDER BY datname")
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

drop_aside() {
	for each in $(ask "SELECT datname FROM pg_database WHERE datname LIKE '%\_aside'"); do ask "DROP DATABASE \"$each\" WITH (FORCE)" > /dev/null; done
}

drop_aside # of a restore that was broken off
change_places=
for file in "$directory"/*.dump; do
	database=$(basename "$file" .dump)
	aside=${database}_aside
	ask "CREATE DATABASE \"$aside\" OWNER \"$database\"" > /dev/null
	ask "REVOKE CONNECT, TEMPORARY ON DATABASE \"$aside\" FROM PUBLIC" > /dev/null
	if ! docker compose exec -T postgres pg_restore --exit-on-error --single-transaction --no-owner --role="$database" --dbname="$aside" < "$file"; then
		drop_aside
		echo "$file cannot be restored, for the reason above: nothing was changed" >&2
		exit 1
	fi
	docker compose exec -T postgres psql --no-psqlrc --quiet --output=/dev/null -v ON_ERROR_STOP=1 -d "$aside" < deploy/postgres/skip-numbers.sql
	change_places="$change_places ALTER DATABASE \"$database\" RENAME TO \"${aside}_\"; ALTER DATABASE \"$aside\" RENAME TO \"$database\";
		ALTER DATABASE \"${aside}_\" RENAME TO \"$aside\";"
done

# Nobody may write while the stores change; PostgreSQL is needed for its own restore.
docker compose stop
docker compose up --detach --wait postgres
ask "BEGIN; $change_places COMMIT" > /dev/null
drop_aside
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

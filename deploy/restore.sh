#!/bin/sh
# restore.sh DIRECTORY: puts a backup in place of what the compose project holds now, then starts the project again.
#
# COMPOSE_FILE chooses the project. Everything that was written after the backup is lost; sessions that were revoked after it are
# alive again until they expire (docs/operations.md says what to do if that matters). A database that the backup lacks stops the restore
# before anything changes; WITHOUT="wishlist" leaves that one as it is. A sealed backup opens with BACKUP_PASSPHRASE_FILE.
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

# Its start makes the roles, on an empty volume too.
docker compose up --detach --wait postgres
ask() { docker compose exec -T postgres psql --no-psqlrc -At -v ON_ERROR_STOP=1 -d postgres -c "$1" < /dev/null; }
databases=$(ask "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname")
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

# Nobody may write while the stores change; PostgreSQL is needed for its own restore.
docker compose stop
docker compose up --detach --wait postgres

for file in "$directory"/*.dump; do
	database=$(basename "$file" .dump)
	docker compose exec -T postgres psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -d postgres \
		-c "DROP DATABASE IF EXISTS \"$database\" WITH (FORCE)" \
		-c "CREATE DATABASE \"$database\" OWNER \"$database\"" \
		-c "REVOKE CONNECT, TEMPORARY ON DATABASE \"$database\" FROM PUBLIC" < /dev/null
	docker compose exec -T postgres pg_restore --exit-on-error --single-transaction --no-owner --role="$database" \
		--dbname="$database" < "$file"
	docker compose exec -T postgres psql --no-psqlrc --quiet --output=/dev/null -v ON_ERROR_STOP=1 -d "$database" \
		< deploy/postgres/skip-numbers.sql
	echo "restored $database"
done

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

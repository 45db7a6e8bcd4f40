#!/bin/sh
# restore.sh DIRECTORY: puts a backup in place of what the compose project holds now, then starts the project again.
#
# COMPOSE_FILE chooses the project. Everything that was written after the backup is lost; sessions that were revoked after it are
# alive again until they expire (docs/operations.md says what to do if that matters).
set -eu
CDPATH='' cd "$(dirname "$0")/.."
directory=${1:?usage: restore.sh DIRECTORY}
for file in auth.dump member.dump catalog.dump redis.rdb; do
	[ -s "$directory/$file" ] || { echo "$directory/$file is missing or empty: nothing was changed" >&2; exit 1; }
done

# Nobody may write while the stores change; PostgreSQL is needed for its own restore. On an empty volume its start makes the roles.
docker compose stop
docker compose up --detach --wait postgres

for database in auth member catalog; do
	docker compose exec -T postgres psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -d postgres \
		-c "DROP DATABASE IF EXISTS $database WITH (FORCE)" \
		-c "CREATE DATABASE $database OWNER $database" \
		-c "REVOKE CONNECT, TEMPORARY ON DATABASE $database FROM PUBLIC"
	docker compose exec -T postgres pg_restore --exit-on-error --single-transaction --no-owner --role="$database" \
		--dbname="$database" < "$directory/$database.dump"
	echo "restored $database"
done

docker compose run --rm --no-deps -T redis restore < "$directory/redis.rdb"
echo "restored redis"
docker compose up --detach --wait

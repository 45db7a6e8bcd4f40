#!/bin/sh
# backup.sh [DIRECTORY]: the databases and Redis of the running compose project, into a new directory (backups/UTC time).
#
# COMPOSE_FILE chooses the project, as for docker compose itself. Each database is one pg_dump, consistent in itself; Redis is one
# snapshot. What is not in it: secrets/. Without auth_key_encryption_key the signing keys in the dump are of no use.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
directory=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}

[ ! -e "$directory" ] || { echo "$directory is there already: a backup is never written over" >&2; exit 1; }
umask 077
mkdir -p "$directory.partial"
trap 'rm -rf "$directory.partial"' EXIT

for database in auth member catalog; do
	docker compose exec -T postgres pg_dump --format=custom --no-owner "$database" > "$directory.partial/$database.dump"
done
# The user `backup` may take a snapshot and read nothing else (deploy/redis/start.sh). Its password stays inside the container.
docker compose exec -T redis sh /gatehouse/start.sh snapshot > "$directory.partial/redis.rdb"

for file in "$directory.partial"/*; do
	[ -s "$file" ] || { echo "$(basename "$file") is empty: nothing was saved" >&2; exit 1; }
done
mv "$directory.partial" "$directory"
echo "saved to $directory: $(cd "$directory" && echo *)"

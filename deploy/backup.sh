#!/bin/sh
# backup.sh [DIRECTORY]: the databases, Redis and kept files of the running compose project, into a new directory (backups/UTC time).
#
# COMPOSE_FILE chooses the project, as for docker compose itself. What is saved is asked of what runs, and no list is kept here: each
# database that the server has, and the directory that a container's label gatehouse.files names (gatehouse.toml). Each database is one
# pg_dump, consistent in itself; Redis is one snapshot. What is not in it: secrets/. Without auth_key_encryption_key the signing keys in
# the dump are of no use. BACKUP_PASSPHRASE_FILE names a file whose passphrase seals each file (seal.sh); they lie there unsealed, for their
# owner alone, until all of them are complete.
set -eu
CDPATH='' cd "$(dirname "$0")/.."
directory=${1:-backups/$(date -u +%Y%m%dT%H%M%SZ)}

[ ! -e "$directory" ] || { echo "$directory is there already: a backup is never written over" >&2; exit 1; }
umask 077
mkdir -p "$directory.partial"
trap 'rm -rf "$directory.partial"' EXIT
trap 'exit 1' HUP INT TERM # a shell that a signal ends leaves out its EXIT trap

databases=$(docker compose exec -T postgres psql --no-psqlrc -At -d postgres \
	-c "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' AND datname NOT LIKE '%-restoring' AND datname NOT LIKE '%-former' ORDER BY datname")
[ -n "$databases" ] || { echo "the server has no database: nothing was saved" >&2; exit 1; }
for database in $databases; do
	docker compose exec -T postgres pg_dump --format=custom --no-owner "$database" > "$directory.partial/$database.dump"
done
# The user `backup` may take a snapshot and read nothing else (deploy/redis/start.sh). Its password stays inside the container.
docker compose exec -T redis sh /gatehouse/start.sh snapshot > "$directory.partial/redis.rdb"

# Those that are stopped too: nothing may be left out without a word.
containers=$(docker compose ps --all --quiet)
# Not in a pipe, whose status is the last command's: half a list would leave files out.
# shellcheck disable=SC2086 # one word each
labels=$(docker inspect --format '{{index .Config.Labels "com.docker.compose.service"}} {{index .Config.Labels "gatehouse.files"}}' $containers)
printf '%s\n' "$labels" | sort -u > "$directory.partial/containers"
while read -r service files; do
	[ -n "$files" ] || continue
	docker compose exec -T "$service" tar -C "$files" -cf - . < /dev/null > "$directory.partial/$service.tar"
done < "$directory.partial/containers"
rm "$directory.partial/containers"

for file in "$directory.partial"/*; do
	[ -s "$file" ] || { echo "$(basename "$file") is empty: nothing was saved" >&2; exit 1; }
done
[ -z "${BACKUP_PASSPHRASE_FILE:-}" ] || deploy/seal.sh seal "$directory.partial"
mv "$directory.partial" "$directory"
echo "saved to $directory: $(cd "$directory" && echo *)"

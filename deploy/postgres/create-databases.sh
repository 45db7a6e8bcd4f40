#!/bin/sh
# One database and one role for each service that stores something. Runs by itself when the data volume is empty; run again after an
# update (docs/operations.md), it makes what is missing and leaves the rest as it is.
#
# A role owns its own database and may not even connect to another's. Passwords come from AUTH_DATABASE_PASSWORD,
# MEMBER_DATABASE_PASSWORD and CATALOG_DATABASE_PASSWORD, or from the files that the same names with _FILE hold (Docker secrets).
set -eu

password() { # NAME: the value of NAME, or the content of the file that NAME_FILE names
	eval "value=\${$1:-} file=\${$1_FILE:-}"
	# shellcheck disable=SC2154 # value and file are set by eval
	if [ -n "$file" ]; then
		value=$(cat "$file")
		value=${value%"$(printf '\r')"} # an editor's line end is no part of it (common/secret_files.py)
	fi
	[ -n "$value" ] || { echo "$1 is not set" >&2; exit 1; }
	case ${APP_ENV:-development}:$value in
	production:development*)
		echo "$1 holds a development secret, which production refuses" >&2
		exit 1
		;;
	esac
	printf %s "$value"
}

create() { # NAME PASSWORD: nothing where the database is there already
	if [ "$(psql --no-psqlrc -At --username "$POSTGRES_USER" --dbname postgres -c "SELECT 1 FROM pg_database WHERE datname = '$1'")" = 1 ]; then
		echo "database $1 is there"
		return
	fi
	# The password travels in the environment: arguments can be read by every process of the container.
	NAME=$1 PASSWORD=$2 psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<-'SQL'
		\getenv name NAME
		\getenv password PASSWORD
		CREATE ROLE :"name" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
		CREATE DATABASE :"name" OWNER :"name";
		REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
	SQL
	echo "database $1 created"
}

psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	-c 'REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC'
create auth "$(password AUTH_DATABASE_PASSWORD)"
create member "$(password MEMBER_DATABASE_PASSWORD)"
create catalog "$(password CATALOG_DATABASE_PASSWORD)"

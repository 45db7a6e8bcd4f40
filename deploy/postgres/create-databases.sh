#!/bin/sh
# One database and one role for each process that stores something, as DATABASES lists them (database:VARIABLE_OF_ITS_PASSWORD, from
# gatehouse.toml). Runs at each start, here and under `make up`: it makes what is missing, sets passwords, and leaves data alone.
#
# A role owns its own database and may not even connect to another's. A password comes from its variable, or from the file that the same
# name with _FILE holds (Docker secrets).
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

create() { # NAME PASSWORD
	# The password travels in the environment: arguments can be read by every process of the container.
	NAME=$1 PASSWORD=$2 psql --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<-'SQL'
		\getenv name NAME
		\getenv password PASSWORD
		SET client_min_messages = error;
		-- A statement that fails, is slow or is logged as any other is written down whole, with the password in it.
		SET log_min_error_statement = panic;
		SET log_min_duration_statement = -1;
		SET log_statement = none;
		SELECT format('CREATE ROLE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
		ALTER ROLE :"name" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
		SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
		SELECT format('ALTER DATABASE %I OWNER TO %I', :'name', :'name') FROM pg_database
			WHERE datname = :'name' AND datdba <> :'name'::regrole \gexec
		REVOKE CONNECT, TEMPORARY ON DATABASE :"name" FROM PUBLIC;
	SQL
}

# The role of whoever measures the server (deploy/observability/postgres-queries.yaml): it may connect to each database, for the statistics of
# its tables, and read what pg_monitor may. It owns nothing, and can read no row.
exporter() { # PASSWORD
	PASSWORD=$1 psql --no-psqlrc --quiet --no-align --tuples-only -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<-'SQL'
		\getenv password PASSWORD
		SET client_min_messages = error;
		SET log_min_error_statement = panic;
		SET log_min_duration_statement = -1;
		SET log_statement = none;
		SELECT 'CREATE ROLE exporter' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'exporter') \gexec
		ALTER ROLE exporter LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 16;
		ALTER ROLE exporter SET statement_timeout = '5s';
		ALTER ROLE exporter SET default_transaction_read_only = on;
		GRANT pg_monitor TO exporter;
		SELECT format('GRANT CONNECT ON DATABASE %I TO exporter', datname) FROM pg_database WHERE NOT datistemplate \gexec
	SQL
}

psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	-c 'REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC'
for entry in $DATABASES; do
	secret=$(password "${entry#*:}")
	create "${entry%%:*}" "$secret"
done
if [ -n "${POSTGRES_EXPORTER_PASSWORD:-}${POSTGRES_EXPORTER_PASSWORD_FILE:-}" ]; then
	secret=$(password POSTGRES_EXPORTER_PASSWORD)
	exporter "$secret"
fi

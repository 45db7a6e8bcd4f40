#!/usr/bin/env bash
# matrix.sh [PYTEST OPTION...]: the store tiers on each kind of Redis and behind each kind of pooler. One line of result for each; the whole
# output of what failed. BIN is where python is.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
python=${BIN:-.venv/bin}/python
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

on() { # TITLE OPTION PATH...
	local title=$1 option=$2
	shift 2
	# coredis leaves the memory streams of its connections to the garbage collector, which complains.
	# A thousand replays at once are about PostgreSQL's eight connections, which a busy machine makes late: 503 is right then.
	if STORES_MATRIX=1 "$python" -m pytest -q -p no:cacheprovider "$option" "$@" "${extra[@]}" -k "not thousand" \
		-W ignore::pytest.PytestUnraisableExceptionWarning >"$log" 2>&1; then
		printf '%-28s %s\n' "$title" "$(tail -n 1 "$log")"
	else
		printf '%-28s FAILED\n' "$title"
		cat "$log"
		failed=1
	fi
}
extra=("$@")

redis=(
	tests/stores/idempotency tests/protocol/test_idempotency_redis.py
	tests/stores/auth/test_{throttle,sessions,session_list,one_transaction,guests}.py
)
for kind in single tls sentinel cluster "cluster over tls"; do
	on "Redis: $kind" "--redis=$kind" "${redis[@]}"
done
on "Redis: failovers" "--redis=single" tests/stores/test_redis_topologies.py tests/stores/auth/test_redis_failover.py

# Not what is about PostgreSQL's own connections: behind a pooler they are the pooler's.
postgres=(
	tests/stores/member tests/stores/chassis/test_idempotency.py
	tests/stores/auth/test_{sessions,session_list,one_transaction,guests}.py
)
for kind in straight session transaction tls; do
	on "PostgreSQL: $kind" "--postgres=$kind" "${postgres[@]}"
done
on "PgBouncer's own tests" "--postgres=straight" tests/stores/chassis/test_pooling.py
exit $failed

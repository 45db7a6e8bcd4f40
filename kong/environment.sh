# shellcheck shell=sh
# Kong's settings that are the same wherever it runs, each overridable from outside. Sourced, with GATEHOUSE_HOME as the
# directory of this file, KONG_PLUGINS_DIR as the one of the plugin servers' sockets and dumps, KONG_CONTROL_DIR as that of Kong's own socket.
#
# Why these values: docs of each at https://docs.konghq.com/gateway/3.9.x/reference/configuration/.

quoted() { # TEXT: as one word of a shell's command
	printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

export KONG_DATABASE=off
export KONG_PLUGINS="${KONG_PLUGINS:-bundled,token-validator,response-cache,idempotency}"

# One plugin server per plugin; something else starts and supervises them, so there is no START_CMD.
export KONG_PLUGINSERVER_NAMES="${KONG_PLUGINSERVER_NAMES:-token-validator,response-cache,idempotency}"
export KONG_PLUGINSERVER_TOKEN_VALIDATOR_SOCKET="${KONG_PLUGINSERVER_TOKEN_VALIDATOR_SOCKET:-$KONG_PLUGINS_DIR/token-validator.socket}"
export KONG_PLUGINSERVER_TOKEN_VALIDATOR_QUERY_CMD="${KONG_PLUGINSERVER_TOKEN_VALIDATOR_QUERY_CMD:-cat $(quoted "$KONG_PLUGINS_DIR/token-validator.json")}"
export KONG_PLUGINSERVER_RESPONSE_CACHE_SOCKET="${KONG_PLUGINSERVER_RESPONSE_CACHE_SOCKET:-$KONG_PLUGINS_DIR/response-cache.socket}"
export KONG_PLUGINSERVER_RESPONSE_CACHE_QUERY_CMD="${KONG_PLUGINSERVER_RESPONSE_CACHE_QUERY_CMD:-cat $(quoted "$KONG_PLUGINS_DIR/response-cache.json")}"
export KONG_PLUGINSERVER_IDEMPOTENCY_SOCKET="${KONG_PLUGINSERVER_IDEMPOTENCY_SOCKET:-$KONG_PLUGINS_DIR/idempotency.socket}"
export KONG_PLUGINSERVER_IDEMPOTENCY_QUERY_CMD="${KONG_PLUGINSERVER_IDEMPOTENCY_QUERY_CMD:-cat $(quoted "$KONG_PLUGINS_DIR/idempotency.json")}"

# A plugin server that hangs costs a request 3 s, not Kong's 60; connections to it are kept under concurrency.
export KONG_NGINX_PROXY_LUA_SOCKET_READ_TIMEOUT="${KONG_NGINX_PROXY_LUA_SOCKET_READ_TIMEOUT:-3s}"
export KONG_NGINX_PROXY_LUA_SOCKET_SEND_TIMEOUT="${KONG_NGINX_PROXY_LUA_SOCKET_SEND_TIMEOUT:-3s}"
export KONG_NGINX_PROXY_LUA_SOCKET_CONNECT_TIMEOUT="${KONG_NGINX_PROXY_LUA_SOCKET_CONNECT_TIMEOUT:-1s}"
export KONG_NGINX_PROXY_LUA_SOCKET_POOL_SIZE="${KONG_NGINX_PROXY_LUA_SOCKET_POOL_SIZE:-256}"

# Bodies up to the size limit of 1 MiB stay in memory, where a plugin can read them, chunked ones with what frames the
# chunks; those are bounded here, since the request-size-limiting plugin measures them only after they have arrived.
export KONG_NGINX_PROXY_CLIENT_BODY_BUFFER_SIZE="${KONG_NGINX_PROXY_CLIENT_BODY_BUFFER_SIZE:-2m}"
# Between two pieces of a body; then the connection ends. Each body that is under way takes that much memory.
export KONG_NGINX_PROXY_CLIENT_BODY_TIMEOUT="${KONG_NGINX_PROXY_CLIENT_BODY_TIMEOUT:-15s}"
export KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE="${KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE:-2m}"

# X_User_Id is X-User-Id to some frameworks: Kong lets such names in, the proxy port here does not.
export KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS="${KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS:-off}"

# Kong's own errors in the project's format, whatever the client accepts (kong.yml.template adds status and title).
export KONG_ERROR_DEFAULT_TYPE="${KONG_ERROR_DEFAULT_TYPE:-application/json}"
export KONG_ERROR_TEMPLATE_JSON="${KONG_ERROR_TEMPLATE_JSON:-$GATEHOUSE_HOME/errors/problem.json}"
export KONG_ERROR_TEMPLATE_PLAIN="${KONG_ERROR_TEMPLATE_PLAIN:-$GATEHOUSE_HOME/errors/problem.json}"
export KONG_ERROR_TEMPLATE_HTML="${KONG_ERROR_TEMPLATE_HTML:-$GATEHOUSE_HOME/errors/problem.json}"
export KONG_ERROR_TEMPLATE_XML="${KONG_ERROR_TEMPLATE_XML:-$GATEHOUSE_HOME/errors/problem.json}"

# Loopback only, no TLS ports and no Manager: what terminates TLS stands in front.
export KONG_PROXY_LISTEN="${KONG_PROXY_LISTEN:-0.0.0.0:8000 reuseport backlog=16384}"
export KONG_ADMIN_LISTEN="${KONG_ADMIN_LISTEN:-127.0.0.1:8001}"
export KONG_ADMIN_GUI_LISTEN="${KONG_ADMIN_GUI_LISTEN:-off}"
export KONG_STATUS_LISTEN="${KONG_STATUS_LISTEN:-off}"
# Whatever its address, the Admin API only shows: not to be overridden, nor does anything need more.
export KONG_NGINX_ADMIN_INCLUDE="$GATEHOUSE_HOME/admin-read-only.conf"
# But for the one who reloads it: a socket in a directory that is closed to every other user.
if [ -n "${KONG_CONTROL_DIR:-}" ]; then export KONG_NGINX_ADMIN_LISTEN="unix:$KONG_CONTROL_DIR/admin.socket"; fi

# Clients learn neither the version nor the latencies of the parts behind, by asking for them neither.
export KONG_HEADERS="${KONG_HEADERS:-X-Kong-Request-Id}"
# Not to be overridden: with it Kong keeps a copy of a request's headers before kong.yml.template removes any, and sends
# `Upgrade`, `TE` and `X-Forwarded-For` upstream as they came (docs/decisions/0041-hop-by-hop-at-the-gateway.md).
export KONG_REQUEST_DEBUG=off

# A token over the 8 KiB that token-validator reads gets its 401, and not nginx' 400.
export KONG_NGINX_PROXY_LARGE_CLIENT_HEADER_BUFFERS="${KONG_NGINX_PROXY_LARGE_CLIENT_HEADER_BUFFERS:-4 16k}"

# An upstream's answer whose headers do not fit into one buffer is a 502, and nginx' own has 4 KiB: a list of a hundred products
# names each of them in Cache-Tag. nginx wants the other buffers, which bodies pass, as large.
export KONG_NGINX_PROXY_PROXY_BUFFER_SIZE="${KONG_NGINX_PROXY_PROXY_BUFFER_SIZE:-16k}"
export KONG_NGINX_PROXY_PROXY_BUFFERS="${KONG_NGINX_PROXY_PROXY_BUFFERS:-8 16k}"

# KONG_TRUSTED_IPS says whose X-Forwarded-For is believed (a reverse proxy's own address): nobody's by default.
export KONG_REAL_IP_HEADER="${KONG_REAL_IP_HEADER:-X-Forwarded-For}"
export KONG_REAL_IP_RECURSIVE="${KONG_REAL_IP_RECURSIVE:-on}"

# A name of a service is looked up again soon: Docker answers with a TTL that outlives its containers.
export KONG_DNS_VALID_TTL="${KONG_DNS_VALID_TTL:-5}" # seconds
export KONG_DNS_STALE_TTL="${KONG_DNS_STALE_TTL:-5}"
# Nor is a service that is being restarted, whose name Docker does not know meanwhile, gone for Kong's usual 30 s.
export KONG_DNS_NOT_FOUND_TTL="${KONG_DNS_NOT_FOUND_TTL:-1}"
# Not SRV, which Kong would ask for first: Docker's DNS passes that on to the outside, and waits where there is no outside.
export KONG_DNS_ORDER="${KONG_DNS_ORDER:-LAST,A,CNAME}"

export KONG_ANONYMOUS_REPORTS="${KONG_ANONYMOUS_REPORTS:-off}"
# The access log's format (JSON, with the request's id and without its query), and a variable for the plugins (access-summary.conf).
export KONG_NGINX_HTTP_INCLUDE="$GATEHOUSE_HOME/access-*.conf"
export KONG_PROXY_ACCESS_LOG="${KONG_PROXY_ACCESS_LOG:-/dev/stdout gatehouse}"
export KONG_PROXY_ERROR_LOG="${KONG_PROXY_ERROR_LOG:-/dev/stderr}"
export KONG_ADMIN_ACCESS_LOG="${KONG_ADMIN_ACCESS_LOG:-off}"
export KONG_ADMIN_ERROR_LOG="${KONG_ADMIN_ERROR_LOG:-/dev/stderr}"

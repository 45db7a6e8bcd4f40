# shellcheck shell=sh
# Where Kong's configuration is, and whether it is in force. Sourced, with GATEHOUSE_HOME as the directory of this file.
#
# Beside the rendered file: FILE.refusal, why Kong refused it; FILE.failure, of what Lua failed in a request; FILE.fallback, why an older one is
# in force; FILE.broken, why it is in force although it does not work. KONG_STATE_DIR, if it is set, outlives a restart: it holds the last configuration that was in force.

KONG_PLUGINS_DIR=${KONG_PLUGINS_DIR:-/run/kong-plugins}
KONG_DECLARATIVE_CONFIG=${KONG_DECLARATIVE_CONFIG:-/tmp/kong.yml}
KONG_CONTROL_DIR=${KONG_CONTROL_DIR:-$(dirname "$KONG_DECLARATIVE_CONFIG")/control}
# Without a collector Kong records nothing; with one its opentelemetry plugin is on, and it records what the plugin sends.
if [ -n "${OTEL_EXPORTER_OTLP_ENDPOINT:-}" ]; then
  export KONG_TRACES=true KONG_TRACING_INSTRUMENTATIONS="${KONG_TRACING_INSTRUMENTATIONS:-request,balancer}"
  export KONG_TRACING_SAMPLING_RATE="${KONG_TRACING_SAMPLING_RATE:-1}"
fi
export GATEHOUSE_HOME KONG_PLUGINS_DIR KONG_DECLARATIVE_CONFIG KONG_CONTROL_DIR

# shellcheck disable=SC2034 # for those who source this file
refusal=$KONG_DECLARATIVE_CONFIG.refusal
# shellcheck disable=SC2034
failure=$KONG_DECLARATIVE_CONFIG.failure
# shellcheck disable=SC2034
fallback=$KONG_DECLARATIVE_CONFIG.fallback
# shellcheck disable=SC2034
broken=$KONG_DECLARATIVE_CONFIG.broken
worked=${KONG_STATE_DIR:+$KONG_STATE_DIR/kong.yml}

template=${KONG_TEMPLATE:-}
for candidate in "$GATEHOUSE_HOME/kong.yml.template" "$GATEHOUSE_HOME/../kong.yml.template"; do
  if [ -z "$template" ] && [ -e "$candidate" ]; then template=$candidate; fi
done
[ -n "$template" ] || {
  echo "kong.yml.template is neither in $GATEHOUSE_HOME nor above it; KONG_TEMPLATE can name it" >&2
  exit 1
}

# The MD5 of a file, as Kong tells configurations apart.
hash_of() {
  if command -v md5sum >/dev/null 2>&1; then md5sum <"$1" | cut -d ' ' -f 1; else md5 -q "$1"; fi
}

# ask METHOD PATH [FILE]: Kong's whole answer from the Admin API on its own socket, the file sent as YAML. Perl, since bash has no
# Unix sockets: it is in Kong's image, as it is in every Debian.
ask() {
  perl -MIO::Socket::UNIX -e '
    use strict;
    my ($socket, $method, $path, $file) = @ARGV;
    my $body = "";
    if (defined $file) { open(my $in, "<:raw", $file) or die "$file: $!\n"; local $/; $body = <$in>; }
    my $kong = IO::Socket::UNIX->new(Peer => $socket) or exit 7;
    $SIG{ALRM} = sub { exit 28 };
    alarm($ENV{KONG_RELOAD_WAIT} || 30);
    print $kong "$method $path HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/yaml\r\nContent-Length: ", length($body), "\r\n\r\n", $body;
    $kong->flush;
    print while <$kong>;
  ' "$KONG_CONTROL_DIR/admin.socket" "$@"
}

# The MD5 of the configuration in force; nothing if Kong does not answer. EMPTY, if there is nothing in it.
# shellcheck disable=SC2034
EMPTY=00000000000000000000000000000000
hash_in_force() {
  ask GET /status | sed -n 's/.*"configuration_hash": *"\([0-9a-f]*\)".*/\1/p'
}

# Keeps the rendered file for a start that finds one which Kong refuses. For its owner alone: it may hold passwords.
remember() {
  [ -n "$worked" ] || return 0
  (umask 077 && mkdir -p "$KONG_STATE_DIR" && cp "$KONG_DECLARATIVE_CONFIG" "$worked.partial" && mv -f "$worked.partial" "$worked") ||
    echo "this configuration could not be kept in $KONG_STATE_DIR: a restart has nothing to fall back on" >&2
}

# located REASON FILE: why Kong refuses the rendered file, each reason with its line, which is the template's as well.
located() {
  echo "Kong refuses $template (rendered to $2, the same lines):"
  TEMPLATE=$template awk -f "$GATEHOUSE_HOME/locate.awk" "$1" "$2"
}

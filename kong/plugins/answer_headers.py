"""Headers of an answer that no later one may repeat: they belong to one connection, or tell of one moment."""

_NEVER = frozenset(
    {
        # Hop-by-hop (RFC 9110 §7.6.1) and framing.
        "connection", "content-length", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "te", "trailer", "transfer-encoding", "upgrade",
        "age", "date",
        # Written by Kong on every answer.
        "server", "via", "x-request-id",
    }
)  # fmt: skip
_NEVER_BEGIN = (
    "x-kong-",
    # What a caller has left of a rate limit at that moment: a plugin has written it before an answer is kept.
    "ratelimit",
    "x-ratelimit-",
)


def repeatable(name: str) -> bool:
    """`name` in lower case."""
    return name not in _NEVER and not name.startswith(_NEVER_BEGIN)

"""Header values are bytes (RFC 9110 §5.5): what crosses a hop leaves it as it came, and people see it as UTF-8 where it
is UTF-8.

Servers hand values out as Latin-1 text, clients write text as UTF-8: a value that goes from one to the other as text
is encoded twice.
"""


def sendable(value: bytes) -> str:
    """The text for which common/http_pool.py writes exactly `value`."""
    return value.decode("utf-8", "surrogateescape")


def shown(value: str | bytes) -> str:
    """A value as people read it. `value`: bytes, or the Latin-1 text that ASGI frameworks make of them."""
    raw = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")

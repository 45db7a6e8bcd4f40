"""What nginx refuses before Kong sees it."""

from __future__ import annotations

from devstack.gateway.headers import Headers


def without_underscores(headers: Headers) -> Headers:
    """`underscores_in_headers off`: such fields are dropped in silence."""
    return Headers(field for field in headers if "_" not in field[0])


def size(text: str) -> int:
    """nginx's notation of a size (`2m`) in bytes; 0 is without limit."""
    factors = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
    number, unit = (text[:-1], text[-1].lower()) if text[-1:].lower() in factors else (text, "")
    return int(number) * factors.get(unit, 1)

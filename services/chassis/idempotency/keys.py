"""The request's idempotency key, by the same rule as the gateway's plugin (common/idempotency_key.py)."""

from collections.abc import Sequence

from common import idempotency_key
from services.chassis.idempotency.refusals import MalformedKey


def find(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """The request's key, None where it has none. Raises MalformedKey for a malformed, repeated or contradictory one."""
    try:
        return idempotency_key.find([(name, _lines(headers, name)) for name in idempotency_key.HEADERS])
    except idempotency_key.MalformedKey as fault:
        raise MalformedKey(str(fault)) from fault


def _lines(headers: Sequence[tuple[bytes, bytes]], name: str) -> list[str]:
    return [value.decode("latin-1") for header, value in headers if header.decode("latin-1").lower() == name]

"""The request's idempotency key, out of the headers as Kong hands them over (the rule: common/idempotency_key.py)."""

from collections.abc import Mapping, Sequence

from common import idempotency_key
from common.idempotency_key import MalformedKey

HeaderValue = str | Sequence[str] | None

__all__ = ["MalformedKey", "find_key"]


def find_key(headers: Mapping[str, HeaderValue], names: Sequence[str]) -> str | None:
    """The request's key, or None where no header of `names` (lower case) is there. Raises MalformedKey."""
    return idempotency_key.find([(name, _lines(headers[name])) for name in names if name in headers])


def _lines(value: HeaderValue) -> Sequence[str]:
    if value is None:  # Kong may hand over an empty value as null
        return [""]
    return [value] if isinstance(value, str) else value

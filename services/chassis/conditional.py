"""Conditional requests over the answer at hand, in the order of RFC 9110 §13.2.2. Pure.

Only where the answer has a validator of its own: an `ETag`, or a `Last-Modified`. What changes something judges its
preconditions in the transaction of the change (preconditions.py); this is for what reads.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

Outcome = Literal[200, 304, 412]

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST = re.compile(rf"[ \t,]*(?:{_TAG.pattern}[ \t]*(?:,[ \t,]*|$))*")

KEPT = frozenset(
    {b"cache-control", b"content-location", b"date", b"etag", b"expires", b"vary", b"last-modified"}
)
"""The headers of a 304 (RFC 9110 §15.4.5), besides what is about the exchange and not the answer."""


def judged(headers: Mapping[str, str], etag: str | None, last_modified: str | None) -> Outcome:
    """What a GET or HEAD gets in place of its 200. `headers`: of the request, lower-case names, repeated ones joined.

    A header that is malformed counts as absent (§13.1.3, and nothing else would be safe to say of a tag).
    """
    changed = _date(last_modified)
    if "if-match" in headers:
        if etag is not None and not _matches(headers["if-match"], etag, weakly=False):
            return 412
    elif (limit := _date(headers.get("if-unmodified-since"))) and changed and changed > limit:
        return 412
    if "if-none-match" in headers:
        return 304 if etag is not None and _matches(headers["if-none-match"], etag, weakly=True) else 200
    since = _date(headers.get("if-modified-since"))
    return 304 if since and changed and changed <= since else 200


def _matches(value: str, etag: str, *, weakly: bool) -> bool:
    """Weak comparison looks at the opaque part alone; in strong comparison a weak tag matches none (§8.8.3.2)."""
    if value.strip(" \t") == "*":
        return True
    if not _LIST.fullmatch(value):
        return False
    tags = _TAG.findall(value)
    if weakly:
        return etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}
    return not etag.startswith("W/") and etag in tags


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

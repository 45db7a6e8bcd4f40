"""The problem document (RFC 9457 §3) of every answer that one of our parts refuses by itself.

What a refusal is differs from part to part; how it looks does not. The plugin runtime has its own, as it imports
nothing of the project.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"
_LONGEST = 2048


def type_of(name: str) -> str:
    """The `type` of the problem that docs/problems/NAME.md is about; one without a name has a page nowhere (§4.2.1)."""
    return f"/problems/{name}" if name else "about:blank"


def document(
    *,
    type_: str,
    title: str,
    status: int,
    detail: str,
    instance: str,
    request_id: str,
    members: Mapping[str, Any] | None = None,
) -> bytes:
    """`instance` is the request's path, without its query (§3.1.5); `members` are extensions (§3.2)."""
    return msgspec.json.encode(
        {
            "type": type_,
            "title": title,
            "status": status,
            "detail": detail,
            "instance": _printable(instance),
            "request_id": _printable(request_id),
            **(members or {}),
        }
    )


def _printable(text: str) -> str:
    """What a client sent, cut short and without what JSON cannot carry."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()

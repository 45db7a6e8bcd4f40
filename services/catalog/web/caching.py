"""Answers that are the same for everybody: what caches may do with them, and by which tags they are taken out again."""

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Request, Response

from services.chassis import preconditions

CACHE_CONTROL = "public, no-cache"
"""Any cache may keep it, and asks before it shows it: a price that has changed is never seen by a shopper. The gateway
has its own lifetimes, since it hears of changes by the tags."""

MAX_TAGS = 128


def answer(request: Request[Any, Any, Any], body: msgspec.Struct, tags: Iterable[str]) -> Response[bytes]:
    """`body` with a strong ETag of its bytes; 304 where the caller has it already (RFC 9110 §13.1.2)."""
    content = msgspec.json.encode(body)
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": CACHE_CONTROL,
        "Cache-Tag": ",".join(list(dict.fromkeys(tags))[:MAX_TAGS]),
    }
    if preconditions.has(request.headers.get("If-None-Match"), tag):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)

"""The media type of a JSON body: it has to be said, and to be JSON (RFC 9110 §8.3, RFC 8259 §11). Pure.

A body that does not say what it is could come from a form of any web page, so it is refused as well. `charset` is no
parameter of JSON; clients send it, and UTF-8 is what JSON is. A merge patch (RFC 7396) may say that it is one.
"""

from collections.abc import Mapping
from email.message import Message

from services.chassis.errors import UnsupportedMediaType

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


def accepted(method: str) -> tuple[str, ...]:
    return (MERGE_PATCH, JSON) if method == "PATCH" else (JSON,)


def require_json(method: str, headers: Mapping[str, str]) -> None:
    """Raises UnsupportedMediaType, which says what is accepted: in `Accept-Patch` (RFC 5789 §3.1), in `Accept-Post`,
    else in `Accept` (RFC 9110 §12.5.1). `headers`: the request's."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise UnsupportedMediaType("Send the body without a content coding.", {"Accept-Encoding": "identity"})
    media_type, charset = _parsed(headers.get("content-type", ""))
    if media_type in accepted(method) and charset in {"utf-8", "utf8"}:
        return
    field = {"PATCH": "Accept-Patch", "POST": "Accept-Post"}.get(method, "Accept")
    wanted = ", ".join(accepted(method))
    raise UnsupportedMediaType(f"Send JSON in UTF-8, with a Content-Type of {wanted}.", {field: wanted})


def _parsed(content_type: str) -> tuple[str, str]:
    """The type, lower case and without parameters, and the charset, UTF-8 where none is named."""
    message = Message()
    message["content-type"] = content_type.replace("\r", "").replace("\n", "")
    charset = message.get_param("charset", "utf-8")
    media_type = content_type.partition(";")[0].strip(" \t").lower()
    return media_type, str(charset).lower() if isinstance(charset, str) else "?"

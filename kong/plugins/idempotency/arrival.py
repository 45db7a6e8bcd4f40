"""What the plugin has to know of a keyed request, read from Kong in one write where possible."""

from collections.abc import Mapping
from typing import Any

import msgspec

from kong.plugins.runtime.messages import BodyInFile
from kong.plugins.runtime.pdk import Kong


class Arrival(msgspec.Struct, frozen=True):
    """`body` is None where it is over the limit, `owner` is Kong's own id of the request."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes | None
    owner: str
    caller: str


async def read(kong: Kong, headers: Mapping[str, Any], caller_header: str, max_body: int) -> Arrival:
    """The request that these headers belong to.

    The caller is the account that an authenticating plugin has put into `caller_header` (the gateway removes
    it from what clients send), else the client's address, in a namespace of its own.
    """
    request, body = kong.request, None
    method, target, owner = (
        request.get_method(),
        request.get_path_with_query(),
        kong.nginx.get_var("request_id"),
    )
    user = _text(headers.get(caller_header))
    if _declared_length(headers) > max_body:
        method_, target_, owner_, address = await kong.gather(
            method, target, owner, kong.client.get_forwarded_ip()
        )
    elif user:
        method_, target_, owner_, body = await kong.gather(method, target, owner, request.get_raw_body())
        address = ""
    else:
        method_, target_, owner_, body, address = await kong.gather(
            method, target, owner, request.get_raw_body(), kong.client.get_forwarded_ip()
        )
    path, _, query = target_.partition("?")
    if _may_be_spelt_otherwise(path):
        path = await request.get_path()
    return Arrival(
        method=method_,
        path=path,
        query=query,
        content_type=_text(headers.get("content-type")),
        body=None if body is None or isinstance(body, BodyInFile) or len(body) > max_body else body,
        owner=owner_ or "",
        caller=f"u:{user}" if user else f"a:{address}",
    )


def _may_be_spelt_otherwise(path: str) -> bool:
    """Whether Kong's normalised path, which costs another question, may differ from what the client sent."""
    return "%" in path or "//" in path or "/." in path


def _declared_length(headers: Mapping[str, Any]) -> int:
    length = _text(headers.get("content-length"))
    return int(length[:19]) if length.isdecimal() else 0


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return ",".join(str(one) for one in value) if isinstance(value, list | tuple) else ""

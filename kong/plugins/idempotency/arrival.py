"""What the plugin has to know of a keyed request."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from kong.plugins.runtime.messages import BodyInFile
from kong.plugins.runtime.pdk import Kong

Headers = Mapping[str, Any]

KONGS_ID = "kong_request_id"
"""The nginx variable with Kong's id of a request: the same at every reading, and no client can choose it. (nginx' own
`request_id` is another at every reading, as Kong's configuration does not index it.)"""


class Facts(msgspec.Struct, frozen=True):
    """What Kong says of a request beside its headers; `owner` is Kong's own id of it."""

    method: str
    target: str
    owner: str
    body: bytes | BodyInFile


class Arrival(msgspec.Struct, frozen=True):
    """A keyed request; `body` is None where it is over the limit."""

    method: str
    path: str
    query: str
    content_type: str
    body: bytes | None
    owner: str
    caller: str
    anonymous_at: str | None
    """The address of a caller without an account."""


async def read_headers(kong: Kong) -> Headers:
    """The request's headers."""
    return await kong.request.get_headers()


async def read_facts(kong: Kong) -> Facts:
    """The rest, once it is known that there is a key."""
    request = kong.request
    method, target, owner, body = await kong.gather(
        request.get_method(),
        request.get_path_with_query(),
        kong.nginx.get_var(KONGS_ID),
        request.get_raw_body(),
    )
    return Facts(method, target, owner or secrets.token_hex(16), body)


async def read_both(kong: Kong) -> tuple[Headers, Facts]:
    """Both for the price of one wait, where a key is likely."""
    request = kong.request
    headers, method, target, owner, body = await kong.gather(
        request.get_headers(),
        request.get_method(),
        request.get_path_with_query(),
        kong.nginx.get_var(KONGS_ID),
        request.get_raw_body(),
    )
    return headers, Facts(method, target, owner or secrets.token_hex(16), body)


async def understand(
    kong: Kong, headers: Headers, facts: Facts, caller_header: str, max_body: int
) -> Arrival:
    """The arrival with its caller and its path in the one spelling that counts.

    The caller is the account that an authenticating plugin has put into `caller_header` (the gateway removes it from
    what clients send), else the client's address, in a namespace of its own.
    """
    path, _, query = facts.target.partition("?")
    if (
        "%" in path or "//" in path or "/." in path
    ):  # else Kong's normalised path is the same, and a question saved
        path = await kong.request.get_path()
    user = _text(headers.get(caller_header))
    address = None if user else str(await kong.client.get_forwarded_ip())
    body = facts.body
    return Arrival(
        method=facts.method,
        path=path,
        query=query,
        content_type=_text(headers.get("content-type")),
        body=None if isinstance(body, BodyInFile) or len(body) > max_body else body,
        owner=facts.owner,
        caller=f"u:{user}" if address is None else f"a:{address}",
        anonymous_at=address,
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return ",".join(str(one) for one in value) if isinstance(value, list | tuple) else ""

"""What the plugin has to know of a keyed request."""

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from kong.plugins import request_summary
from kong.plugins.request_headers import API_KEYS
from kong.plugins.runtime.messages import BodyInFile
from kong.plugins.runtime.pdk import Kong

Headers = Mapping[str, Any]

_CREDENTIALS = ("authorization", *sorted(API_KEYS), "x-credential-identifier")
"""Of the last one Kong's own plugins say it, of a caller that is no consumer (`ldap-auth`)."""


class RawRequest(msgspec.Struct, frozen=True):
    """What Kong says of a request beside its headers; `owner` is Kong's own id of it."""

    method: str
    target: str
    owner: str
    body: bytes | BodyInFile
    service: str
    """The service that Kong's router has found: by host or header one path leads to several."""
    upstream_host: str
    """The host that the service is told of, where that is the client's (preserve_host), and else empty."""


class KeyedRequest(msgspec.Struct, frozen=True):
    """A request with its caller; `body` is None where it is over the limit."""

    method: str
    service: str
    path: str
    query: str
    upstream_host: str
    content_type: str
    content_coding: str
    body: bytes | None
    owner: str
    caller: str
    credentials: str
    """What a caller without an account has sent as `Authorization` or API key: a service behind may look at it."""
    cookie: str
    """Its cookies, for the same reason."""
    anonymous_at: str | None
    """The address of a caller without an account."""


async def read_headers(kong: Kong) -> Headers:
    """The request's headers."""
    return await kong.request.get_headers()


async def read_rest(kong: Kong) -> RawRequest:
    """Everything else, once it is known that there is a key."""
    return await _raw(kong, *await kong.gather(request_summary.question(kong), kong.request.get_raw_body()))


async def read_all(kong: Kong) -> tuple[Headers, RawRequest]:
    """Headers and rest for the price of one wait, where a key is likely."""
    headers, told, body = await kong.gather(
        kong.request.get_headers(), request_summary.question(kong), kong.request.get_raw_body()
    )
    return headers, await _raw(kong, told, body)


async def _raw(kong: Kong, told: str | None, body: bytes | BodyInFile) -> RawRequest:
    summary = await request_summary.complete(kong, told)
    return RawRequest(
        summary.method,
        summary.target,
        summary.request_id or secrets.token_hex(16),
        body,
        await request_summary.service(kong, summary),
        summary.upstream_host.lower(),
    )


async def keyed_request(
    kong: Kong, headers: Headers, raw: RawRequest, caller_header: str, max_body: int
) -> KeyedRequest:
    """The request with its caller, and its path as Kong normalises it.

    The caller is the account that an authenticating plugin has put into `caller_header`, else the consumer that one of
    Kong's own has found (the gateway removes both from what clients send), else the client's address, each in a
    namespace of its own.
    """
    path, _, query = raw.target.partition("?")
    if "%" in path or "//" in path or "/." in path:  # else it is normal as it stands: one question saved
        path = await kong.request.get_path()
    caller = _known_caller(headers, caller_header)
    address = None if caller else str(await kong.client.get_forwarded_ip())
    body = raw.body
    return KeyedRequest(
        method=raw.method,
        service=raw.service,
        path=path,
        query=query,
        upstream_host=raw.upstream_host,
        content_type=_text(headers.get("content-type")),
        content_coding=_text(headers.get("content-encoding")),
        body=None if isinstance(body, BodyInFile) or len(body) > max_body else body,
        owner=raw.owner,
        caller=caller if address is None else f"a:{address}",
        credentials="" if address is None else _credentials(headers),
        cookie="" if address is None else _text(headers.get("cookie")),
        anonymous_at=address,
    )


def _known_caller(headers: Headers, caller_header: str) -> str:
    """Empty for whoever has no account. Kong has a consumer for those too, where a plugin's `anonymous` names one."""
    user = _text(headers.get(caller_header))
    if user:
        return f"u:{user}"
    consumer = "" if "x-anonymous-consumer" in headers else _text(headers.get("x-consumer-id"))
    return f"c:{consumer}" if consumer else ""


def _credentials(headers: Headers) -> str:
    found = [(name, _text(headers[name]).strip(" \t")) for name in _CREDENTIALS if name in headers]
    if len(found) == 1 and found[0][0] == "authorization":
        return found[0][1]
    return repr(found) if found else ""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return ",".join(str(one) for one in value) if isinstance(value, list | tuple) else ""

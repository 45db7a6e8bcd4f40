"""Kong's plugin development kit for one live request: what plugins here may call, by Kong's names.

The same table serves the gateway's Lua and the plugin servers.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import unquote_plus

from common import client_address
from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.own_answers import OwnAnswers

HEADER_LIMIT = 100  # lua_max_req_headers, lua_max_resp_headers
ARGUMENT_LIMIT = 100  # lua_max_uri_args

Functions = dict[str, Callable[..., Any]]


def functions(exchange: Exchange, own: OwnAnswers, log: Callable[[str], None]) -> Functions:
    """Kong's names, such as `kong.request.get_header`, to what they do."""
    return {
        **_logging(log),
        **_client(exchange),
        **_request(exchange),
        **_service_request(exchange),
        **_response(exchange, own),
        "kong.ctx.shared.get": exchange.shared.get,
        "kong.ctx.shared.set": exchange.shared.__setitem__,
        "kong.router.get_route": lambda: {"id": exchange.match.route.id} if exchange.match else None,
        "kong.router.get_service": lambda: _service(exchange),
        "kong.nginx.get_var": lambda name: _variable(exchange, name),
        "kong.nginx.req_start_time": lambda: exchange.started,
    }


def _logging(log: Callable[[str], None]) -> Functions:
    def write(*parts: Any) -> None:
        log(" ".join(str(part) for part in parts))

    return {f"kong.log.{level}": write for level in ("crit", "debug", "err", "info", "notice", "warn")}


def _client(exchange: Exchange) -> Functions:
    address, port = exchange.client
    return {
        "kong.client.get_ip": lambda: address,
        "kong.client.get_forwarded_ip": lambda: forwarded_ip(exchange),
        "kong.client.get_port": lambda: port,
        "kong.client.get_forwarded_port": lambda: port,
        "kong.ip.is_trusted": _trusted,
    }


def forwarded_ip(exchange: Exchange) -> str:
    """The client that proxies in KONG_TRUSTED_IPS name, as nginx' real_ip_recursive finds it."""
    lines = exchange.headers.get_all("X-Forwarded-For")
    return client_address.client(exchange.client[0], lines, _trusted_networks()).address


def _trusted(address: str) -> bool:
    """Whether it is one of KONG_TRUSTED_IPS."""
    return any(ip_address(address) in network for network in _trusted_networks())


@cache
def _trusted_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    listed = os.environ.get("KONG_TRUSTED_IPS", "").split(",")
    return tuple(ip_network(one.strip(), strict=False) for one in listed if one.strip())


def _request(exchange: Exchange) -> Functions:
    headers = exchange.headers

    def get_headers(limit: float | None = None) -> tuple[dict[str, str | list[str]], str | None]:
        table, cut_off = headers.by_name(int(limit or HEADER_LIMIT))
        return table, "truncated" if cut_off else None

    def get_query(limit: float | None = None) -> dict[str, Any]:
        return _arguments(exchange.query or "", int(limit or ARGUMENT_LIMIT))

    def get_query_arg(name: str) -> Any:
        value = get_query().get(name)
        return value[0] if isinstance(value, list) else value

    return {
        "kong.request.get_query": get_query,
        "kong.request.get_query_arg": get_query_arg,
        "kong.request.get_header": lambda name: headers.get(name.replace("_", "-")),
        "kong.request.get_headers": get_headers,
        "kong.request.get_method": lambda: exchange.method,
        "kong.request.get_path": lambda: exchange.path,
        "kong.request.get_raw_path": lambda: exchange.target.split("?", 1)[0],
        "kong.request.get_path_with_query": lambda: exchange.target,
        "kong.request.get_raw_query": lambda: exchange.query or "",
        "kong.request.get_raw_body": lambda: exchange.body,
        "kong.request.get_scheme": lambda: "http",
        "kong.request.get_forwarded_scheme": lambda: "http",
        "kong.request.get_host": lambda: exchange.host,
        "kong.request.get_forwarded_host": lambda: exchange.host,
        "kong.request.get_port": lambda: exchange.port,
        "kong.request.get_forwarded_port": lambda: exchange.port,
        "kong.request.get_http_version": lambda: exchange.version,
    }


def _service_request(exchange: Exchange) -> Functions:
    def set_headers(table: Mapping[str, Any]) -> None:
        for name, value in table.items():
            _assign(exchange.headers, name, value)

    def set_body(body: bytes | str) -> None:
        exchange.body = body if isinstance(body, bytes) else body.encode("latin-1")

    return {
        "kong.service.request.set_header": lambda name, value: exchange.headers.set(name, str(value)),
        "kong.service.request.add_header": lambda name, value: exchange.headers.add(name, str(value)),
        "kong.service.request.clear_header": exchange.headers.remove,
        "kong.service.request.set_headers": set_headers,
        "kong.service.request.set_method": lambda method: setattr(exchange, "method", method),
        "kong.service.request.set_path": lambda path: setattr(exchange, "upstream_path", path),
        "kong.service.request.set_raw_query": lambda query: setattr(exchange, "query", query or None),
        "kong.service.request.set_raw_body": set_body,
        "kong.service.set_target": lambda host, port: setattr(exchange, "sent_to", f"{host}:{port:.0f}"),
    }


def _response(exchange: Exchange, own: OwnAnswers) -> Functions:
    def current() -> Answer:
        if exchange.answer is None:
            raise PhaseError("there is no response yet in this phase")
        return exchange.answer

    def exit_with(status: float, body: Any = None, headers: Mapping[str, Any] | None = None) -> None:
        raise Exit(exit_answer(int(status), body, headers))

    def error(status: float, message: str | None = None, headers: Mapping[str, Any] | None = None) -> None:
        answer = own.refused(exchange, int(status), message)
        for name, value in (headers or {}).items():
            _assign(answer.headers, name, value)
        raise Exit(answer)

    def get_header(name: str) -> str | None:
        return current().headers.get(name)

    def clear_header(name: str) -> None:
        current().headers.remove(name)

    def set_headers(table: Mapping[str, Any]) -> None:
        for name, value in table.items():
            _assign(current().headers, name, value)

    def set_body(body: bytes | str) -> None:
        current().body = body if isinstance(body, bytes) else body.encode("latin-1")

    return {
        "kong.response.exit": exit_with,
        "kong.response.error": error,
        "kong.response.get_source": lambda: current().source.value,
        "kong.response.get_status": lambda: current().status,
        "kong.response.set_status": lambda status: setattr(current(), "status", int(status)),
        "kong.response.get_header": get_header,
        "kong.response.get_headers": lambda *_: current().headers.by_name(HEADER_LIMIT)[0],
        "kong.response.set_header": lambda name, value: _assign(current().headers, name, value),
        "kong.response.add_header": lambda name, value: current().headers.add(name, str(value)),
        "kong.response.clear_header": clear_header,
        "kong.response.set_headers": set_headers,
        "kong.response.get_raw_body": lambda: current().body,
        "kong.response.set_raw_body": set_body,
        "kong.service.response.get_status": lambda: current().status,
        "kong.service.response.get_header": get_header,
        "kong.service.response.get_headers": lambda *_: {},  # always empty over the wire, as in Kong
        "kong.service.response.get_raw_body": lambda: current().body,
    }


class PhaseError(Exception):
    """A function was called in a phase in which Kong does not have it."""


def exit_answer(status: int, body: Any, headers: Mapping[str, Any] | None) -> Answer:
    """What `kong.response.exit` sends: a repeated header where the value is a list."""
    content = body if isinstance(body, bytes) else (body or "").encode("latin-1", "replace")
    fields = Headers()
    for name, value in (headers or {}).items():
        _assign(fields, name, value)
    fields.set("Content-Length", str(len(content)))
    return Answer(status, fields, content, Source.EXIT)


def _assign(headers: Headers, name: str, value: Any) -> None:
    headers.remove(name)
    for single in value if isinstance(value, list | tuple) else [value]:
        headers.add(name, str(single))


def _arguments(query: str, limit: int) -> dict[str, Any]:
    """A query's arguments as OpenResty gives them: a list where a name repeats, True without a `=`."""
    table: dict[str, Any] = {}
    for piece in [piece for piece in query.split("&") if piece][:limit]:
        name, separator, text = piece.partition("=")
        key = unquote_plus(name, "latin-1")
        value: str | bool = unquote_plus(text, "latin-1") if separator else True
        if key not in table:
            table[key] = value
        elif isinstance(table[key], list):
            table[key].append(value)
        else:
            table[key] = [table[key], value]
    return table


def _service(exchange: Exchange) -> dict[str, Any] | None:
    """What the router found, as much of it as a plugin here reads."""
    return {"name": exchange.match.route.service.name} if exchange.match else None


def _preserved_host(exchange: Exchange) -> str:
    """Before Kong's balancer has set it: only where the client's goes on."""
    return exchange.host if exchange.match and exchange.match.route.preserve_host else ""


def _summary(exchange: Exchange) -> str:
    """As kong/access-summary.conf puts it together, with the service that pre-function names."""
    service = (exchange.match and exchange.match.route.service.name) or ""
    return "\n".join(
        (exchange.id, exchange.method, exchange.host, exchange.target, service, _preserved_host(exchange))
    )


def _variable(exchange: Exchange, name: str) -> str | None:
    """The nginx variables that plugins here read. `request_id` is a new one at each reading, as in Kong."""
    return {
        "request_id": secrets.token_hex(16),
        "kong_request_id": exchange.id,
        "gatehouse_request": _summary(exchange),
        "upstream_host": _preserved_host(exchange),
        "request_method": exchange.method,
        "request_uri": exchange.target,
        "remote_addr": exchange.client[0],
        "server_port": str(exchange.port),
    }.get(name)

"""The PDK's methods as they cross the wire: Kong decodes the arguments and encodes what the method returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from kong.plugins.runtime import messages
from kong.plugins.runtime.messages import BodyInFile, Value
from kong.plugins.runtime.wire import (
    bytes_field,
    fields,
    integer_field,
    tagged,
    tagged_double,
    tagged_integer,
)

Arguments: TypeAlias = Callable[[bytes], tuple[Any, ...]]
Result: TypeAlias = Callable[[Any], bytes]


def _none(_: bytes) -> tuple[Any, ...]:
    return ()


def _text(payload: bytes) -> tuple[Any, ...]:
    return (messages.text(payload),)


def _integer(payload: bytes) -> tuple[Any, ...]:
    return (messages.integer(payload),)


def _content(payload: bytes) -> tuple[Any, ...]:
    return (messages.content(payload),)


def _pair(payload: bytes) -> tuple[Any, ...]:
    return messages.text(tagged(1, bytes_field(payload, 1) or b"")), messages.value(
        bytes_field(payload, 2) or b""
    )


def _struct(payload: bytes) -> tuple[Any, ...]:
    return (messages.struct(payload),)


def _list(payload: bytes) -> tuple[Any, ...]:
    return tuple(messages.value(cast(bytes, item)) for number, item in fields(payload) if number == 1)


def _target(payload: bytes) -> tuple[Any, ...]:
    return messages.text(tagged(1, bytes_field(payload, 1) or b"")), integer_field(payload, 2) or 0


def exit_arguments(payload: bytes) -> tuple[int, bytes, dict[str, Value]]:
    """Status, body and headers of `kong.response.exit`; a header that repeats is a list."""
    headers = bytes_field(payload, 3)
    return (
        integer_field(payload, 1) or 0,
        bytes_field(payload, 2) or b"",
        messages.struct(headers) if headers else {},
    )


def _empty(_: object) -> bytes:
    return b""


# Kong's encoder writes a value that is the default too: an empty header is a message, an absent one an empty frame.


def _string(value: str | bytes) -> bytes:
    return tagged(1, value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape"))


def _int(value: int) -> bytes:
    return tagged_integer(1, value)


def _number(value: float) -> bytes:
    return tagged_double(1, value)


def _boolean(value: bool) -> bytes:
    return tagged_integer(1, int(value))


def _members(value: Mapping[str, Value]) -> bytes:
    return messages.encode_struct(value)


def _value(value: Value) -> bytes:
    # Kong writes nil with a number that the enumeration does not have.
    return b"\x08\x01" if value is None else messages.encode_value(value)


def _raw_body(value: bytes | BodyInFile) -> bytes:
    return (
        tagged(1, value)
        if isinstance(value, bytes)
        else tagged(2, value.path.encode("utf-8", "surrogateescape"))
    )


def _route(value: Mapping[str, str]) -> bytes:
    """As much of it as plugins here read."""
    return tagged(1, value["id"].encode())


def _service(value: Mapping[str, str]) -> bytes:
    """Its name, which is all that plugins here read."""
    return tagged(4, value["name"].encode())


def _captures(value: tuple[Sequence[str], Mapping[str, str]]) -> bytes:
    unnamed, named = value
    return b"".join(tagged(1, text.encode()) for text in unnamed) + b"".join(
        tagged(2, tagged(1, name.encode()) + tagged(2, text.encode())) for name, text in named.items()
    )


# A method's argument message, its answer's message, and the methods that have both.
_SIGNATURES: Sequence[tuple[Arguments, Result, str, str]] = (
    (_none, _string, "kong.client", "get_ip get_forwarded_ip"),
    (_none, _int, "kong.client", "get_port get_forwarded_port"),
    (_text, _value, "kong.ctx.shared", "get"),
    (_pair, _empty, "kong.ctx.shared", "set"),
    (_list, _empty, "kong.log", "alert crit err warn notice info debug"),
    (_text, _string, "kong.nginx", "get_var"),
    (_none, _number, "kong.nginx", "req_start_time"),
    (_none, _string, "kong.node", "get_id"),
    (_none, _string, "kong.request", "get_scheme get_host get_forwarded_scheme get_forwarded_host"),
    (_none, _string, "kong.request", "get_method get_path get_path_with_query get_raw_query"),
    (_none, _int, "kong.request", "get_port get_forwarded_port"),
    (_none, _number, "kong.request", "get_http_version"),
    (_none, _raw_body, "kong.request", "get_raw_body"),
    (_none, _captures, "kong.request", "get_uri_captures"),
    (_text, _string, "kong.request", "get_query_arg get_header"),
    (_integer, _members, "kong.request", "get_query get_headers"),
    (_none, _int, "kong.response", "get_status"),
    (_none, _route, "kong.router", "get_route"),
    (_none, _service, "kong.router", "get_service"),
    (_none, _string, "kong.response", "get_source"),
    (_text, _string, "kong.response", "get_header"),
    (_integer, _members, "kong.response", "get_headers"),
    (_integer, _empty, "kong.response", "set_status"),
    (_pair, _empty, "kong.response", "set_header add_header"),
    (_text, _empty, "kong.response", "clear_header"),
    (_struct, _empty, "kong.response", "set_headers"),
    (_text, _boolean, "kong.service", "set_upstream"),
    (_target, _empty, "kong.service", "set_target"),
    (_text, _empty, "kong.service.request", "set_scheme set_path set_raw_query set_method clear_header"),
    (_pair, _empty, "kong.service.request", "set_header add_header"),
    (_struct, _empty, "kong.service.request", "set_query set_headers"),
    (_content, _empty, "kong.service.request", "set_raw_body"),
    (_none, _int, "kong.service.response", "get_status"),
    (_text, _string, "kong.service.response", "get_header"),
    (_none, _string, "kong.service.response", "get_raw_body"),
)

METHODS: Mapping[str, tuple[Arguments, Result]] = {
    f"{namespace}.{name}": (arguments, result)
    for arguments, result, namespace, names in _SIGNATURES
    for name in names.split()
}


def encode_result(method: str, value: Any) -> bytes:
    """The answer's payload; nil is an empty frame, except where the answer is a dynamic value."""
    result = METHODS[method][1]
    return b"" if value is None and result is not _value else result(value)

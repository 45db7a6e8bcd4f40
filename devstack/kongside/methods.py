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


def _string(value: str | bytes) -> bytes:
    return messages.encode_content(value) if isinstance(value, bytes) else messages.encode_text(value)


def _number(value: float) -> bytes:
    return tagged_double(1, value) if value else b""


def _boolean(value: bool) -> bytes:
    return tagged_integer(1, 1) if value else b""


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


def _captures(value: tuple[Sequence[str], Mapping[str, str]]) -> bytes:
    unnamed, named = value
    return b"".join(tagged(1, text.encode()) for text in unnamed) + b"".join(
        tagged(2, tagged(1, name.encode()) + tagged(2, text.encode())) for name, text in named.items()
    )


METHODS: Mapping[str, tuple[Arguments, Result]] = {
    **{
        f"kong.client.{name}": (_none, result)
        for name, result in {
            "get_ip": _string,
            "get_forwarded_ip": _string,
            "get_port": messages.encode_integer,
            "get_forwarded_port": messages.encode_integer,
        }.items()
    },
    "kong.ctx.shared.get": (_text, _value),
    "kong.ctx.shared.set": (_pair, _empty),
    **{
        f"kong.log.{level}": (_list, _empty)
        for level in ("alert", "crit", "err", "warn", "notice", "info", "debug")
    },
    "kong.nginx.get_var": (_text, _string),
    "kong.nginx.req_start_time": (_none, _number),
    **{
        f"kong.request.{name}": (_none, result)
        for name, result in {
            "get_scheme": _string,
            "get_host": _string,
            "get_port": messages.encode_integer,
            "get_forwarded_scheme": _string,
            "get_forwarded_host": _string,
            "get_forwarded_port": messages.encode_integer,
            "get_http_version": _number,
            "get_method": _string,
            "get_path": _string,
            "get_path_with_query": _string,
            "get_raw_query": _string,
            "get_raw_body": _raw_body,
            "get_uri_captures": _captures,
        }.items()
    },
    "kong.request.get_query_arg": (_text, _string),
    "kong.request.get_query": (_integer, _members),
    "kong.request.get_header": (_text, _string),
    "kong.request.get_headers": (_integer, _members),
    "kong.response.get_status": (_none, messages.encode_integer),
    "kong.response.get_header": (_text, _string),
    "kong.response.get_headers": (_integer, _members),
    "kong.response.get_source": (_none, _string),
    "kong.response.set_status": (_integer, _empty),
    "kong.response.set_header": (_pair, _empty),
    "kong.response.add_header": (_pair, _empty),
    "kong.response.clear_header": (_text, _empty),
    "kong.response.set_headers": (_struct, _empty),
    "kong.service.set_upstream": (_text, _boolean),
    "kong.service.set_target": (_target, _empty),
    **{
        f"kong.service.request.{name}": (arguments, _empty)
        for name, arguments in {
            "set_scheme": _text,
            "set_path": _text,
            "set_raw_query": _text,
            "set_method": _text,
            "set_query": _struct,
            "set_header": _pair,
            "add_header": _pair,
            "clear_header": _text,
            "set_headers": _struct,
            "set_raw_body": _content,
        }.items()
    },
    "kong.service.response.get_status": (_none, messages.encode_integer),
    "kong.service.response.get_header": (_text, _string),
    "kong.service.response.get_raw_body": (_none, _string),
}


def encode_result(method: str, value: Any) -> bytes:
    """The answer's payload; nil is an empty frame, except where the answer is a dynamic value."""
    result = METHODS[method][1]
    return b"" if value is None and result is not _value else result(value)

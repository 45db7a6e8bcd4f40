"""A finished request's answer: which of it may be replayed, and how it is kept in Redis."""

import zlib
from collections.abc import Collection, Mapping, Sequence

import msgspec

from kong.plugins.answer_headers import repeatable

HeaderValue = str | Sequence[str]

COMPRESS_FROM = 1024
"""Bytes from which a body is worth compressing."""

NEVER_REPLAYED = frozenset({"set-cookie"})
"""About one client's session, beside what answer_headers.py says."""


class Outcome(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """`unkept` says why the body is not here; empty for an outcome that can be replayed."""

    status: int
    headers: dict[bytes, bytes | list[bytes]] = {}
    body: bytes = b""
    unkept: str = ""
    compressed: bool = False


class UndecodableError(Exception):
    """The bytes are no outcome."""


_decoder = msgspec.msgpack.Decoder(Outcome)
_encoder = msgspec.msgpack.Encoder()


def encode(outcome: Outcome) -> bytes:
    """The outcome as msgpack, its body compressed where that saves a tenth or more."""
    if len(outcome.body) >= COMPRESS_FROM and b"content-encoding" not in outcome.headers:
        packed = zlib.compress(outcome.body, level=1)
        if len(packed) < 0.9 * len(outcome.body):
            outcome = msgspec.structs.replace(outcome, body=packed, compressed=True)
    return _encoder.encode(outcome)


def decode(encoded: bytes) -> Outcome:
    """The outcome as it was given to `encode`. Raises UndecodableError."""
    try:
        outcome = _decoder.decode(encoded)
        if outcome.compressed:
            return msgspec.structs.replace(outcome, body=zlib.decompress(outcome.body), compressed=False)
    except (msgspec.DecodeError, zlib.error) as error:
        raise UndecodableError from error
    return outcome


def replayable(headers: Mapping[str, HeaderValue], only: Collection[str]) -> dict[bytes, bytes | list[bytes]]:
    """The headers that a later answer may repeat, as bytes; of these only those in `only`, unless it is empty."""
    named = {token.strip().lower() for line in _lines(headers, "connection") for token in line.split(",")}
    return {
        name.encode("utf-8", "surrogateescape"): _bytes(value)
        for name, value in headers.items()
        if repeatable(name)
        and name not in NEVER_REPLAYED
        and name not in named
        and (not only or name in only)
    }


def replayed(outcome: Outcome) -> dict[str, HeaderValue]:
    """The kept headers as text for Kong."""
    return {
        _text(name): _text(v) if isinstance(v, bytes) else [_text(one) for one in v]
        for name, v in outcome.headers.items()
    }


def forbids_storing(headers: Mapping[str, HeaderValue]) -> bool:
    """Whether the answer says `Cache-Control: no-store` (RFC 9111 §5.2.2.5)."""
    return any(
        directive.strip().lower() == "no-store"
        for line in _lines(headers, "cache-control")
        for directive in line.split(",")
    )


def _lines(headers: Mapping[str, HeaderValue], name: str) -> Sequence[str]:
    value = headers.get(name, ())
    return (value,) if isinstance(value, str) else value


def _bytes(value: HeaderValue) -> bytes | list[bytes]:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return [one.encode("utf-8", "surrogateescape") for one in value]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")

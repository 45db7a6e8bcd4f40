"""Headers that a plugin says again and again: encoded once, said as often as it likes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kong.plugins.runtime import messages
from kong.plugins.runtime.pdk.calls import HeaderValue


class ConstantHeaders(Mapping[str, HeaderValue]):
    """Never change; `set_headers` takes them as it takes any mapping, and has nothing left to encode."""

    __slots__ = ("_headers", "struct")

    def __init__(self, headers: Mapping[str, HeaderValue]) -> None:
        self._headers = dict(headers)
        self.struct = messages.encode_struct(headers)

    def __getitem__(self, name: str) -> HeaderValue:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


def struct(headers: Mapping[str, HeaderValue]) -> bytes:
    """The headers as Kong reads them."""
    return headers.struct if isinstance(headers, ConstantHeaders) else messages.encode_struct(headers)

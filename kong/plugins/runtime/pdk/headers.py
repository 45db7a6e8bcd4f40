"""Headers that a plugin says again and again: encoded once, said as often as it likes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kong.plugins.runtime import messages
from kong.plugins.runtime.pdk.calls import HeaderValue


class ConstantHeaders(Mapping[str, HeaderValue]):
    """Never change; `set_headers` and `exit` take them as any mapping, and have nothing left to encode."""

    __slots__ = ("_headers", "struct")

    def __init__(self, headers: Mapping[str, HeaderValue]) -> None:
        self._headers = dict(headers)
        self.struct = messages.encode_struct(headers)

    def beside(self, others: Mapping[str, HeaderValue]) -> Mapping[str, HeaderValue]:
        """These and `others`, of which none has a name of these; only `others` are encoded."""
        return _Beside(self, others)

    def __getitem__(self, name: str) -> HeaderValue:
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)


class _Beside(Mapping[str, HeaderValue]):
    __slots__ = ("constant", "others")

    def __init__(self, constant: ConstantHeaders, others: Mapping[str, HeaderValue]) -> None:
        self.constant = constant
        self.others = others

    def __getitem__(self, name: str) -> HeaderValue:
        return self.others[name] if name in self.others else self.constant[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.constant
        yield from self.others

    def __len__(self) -> int:
        return len(self.constant) + len(self.others)


def struct(headers: Mapping[str, HeaderValue]) -> bytes:
    """The headers as Kong reads them."""
    if type(headers) is _Beside:
        return headers.constant.struct + messages.encode_struct(headers.others)
    return headers.struct if isinstance(headers, ConstantHeaders) else messages.encode_struct(headers)

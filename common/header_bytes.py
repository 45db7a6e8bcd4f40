"""Header values are bytes (RFC 9110 §5.5): what crosses a hop leaves it as it came, and people see it as UTF-8 where it
is UTF-8.

Servers hand values out as Latin-1 text, aiohttp writes text as UTF-8: a value that goes from one to the other as text
is encoded twice.
"""

from collections.abc import Mapping
from types import ModuleType

from aiohttp.http_writer import StreamWriter
from multidict import CIMultiDict


def sendable(value: bytes) -> str:
    """The text for which aiohttp writes exactly `value`, once `install` was called."""
    return value.decode("utf-8", "surrogateescape")


def shown(value: str | bytes) -> str:
    """A value as people read it. `value`: bytes, or the Latin-1 text that ASGI frameworks make of them."""
    raw = value if isinstance(value, bytes) else value.encode("latin-1", "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class _ExactWriter(StreamWriter):
    """Writes bytes that are no UTF-8 as they are; aiohttp's own serialiser leaves them out."""

    async def write_headers(self, status_line: str, headers: "CIMultiDict[str]") -> None:
        await super().write_headers(status_line, headers)  # refuses control characters
        if _escaped(headers):
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self._headers_buf = f"{status_line}\r\n{lines}\r\n".encode("utf-8", "surrogateescape")


def _escaped(headers: Mapping[str, str]) -> bool:
    return any(
        "\udc80" <= char <= "\udcff" for value in headers.values() if not value.isascii() for char in value
    )


def install(*modules: ModuleType) -> None:
    """Makes aiohttp write header values byte for byte: its client, `aiohttp.client_reqrep`, or its server,
    `aiohttp.web_protocol`. Neither has a hook for that but the name by which it knows its writer."""
    for module in modules:
        if not issubclass(module.StreamWriter, StreamWriter):
            raise TypeError(f"{module.__name__} writes by something else")
        module.StreamWriter = _ExactWriter  # type: ignore[attr-defined]

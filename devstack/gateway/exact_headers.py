"""Header values that leave the stand-in as the bytes that they came as, as they leave Kong."""

from collections.abc import Mapping
from types import ModuleType

from aiohttp.http_writer import StreamWriter
from multidict import CIMultiDict


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

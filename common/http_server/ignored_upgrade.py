"""Goes on reading a request that offered an upgrade, as if it had not (RFC 9110 §7.8).

llhttp stops at the end of a head with `Upgrade`, and takes whatever follows for the other protocol's bytes. No protocol
is spoken here but HTTP/1.1, so what follows is the request's body, and then the next request. A second parser reads a
head of the same framing without the offer, unheard, and then goes on for the first.
"""

from typing import Protocol

import httptools


class Callbacks(Protocol):
    """What a parser tells its reader."""

    def on_message_begin(self) -> None: ...
    def on_url(self, url: bytes) -> None: ...
    def on_header(self, name: bytes, value: bytes) -> None: ...
    def on_headers_complete(self) -> None: ...
    def on_body(self, body: bytes) -> None: ...
    def on_message_complete(self) -> None: ...


class _AfterHead:
    """Callbacks of which the first head is kept silent."""

    def __init__(self, to: Callbacks) -> None:
        self._to = to
        self._in_first_head = True
        self.on_body = to.on_body
        self.on_message_complete = to.on_message_complete

    def on_message_begin(self) -> None:
        if not self._in_first_head:
            self._to.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._in_first_head:
            self._to.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_first_head:
            self._to.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._in_first_head:
            self._in_first_head = False
        else:
            self._to.on_headers_complete()


def parser_after(head: bytes, to: Callbacks) -> httptools.HttpRequestParser:
    """A parser that has read `head`, which offers no upgrade, and reports what follows it.

    Raises HttpParserError where `head` frames nothing.
    """
    parser = httptools.HttpRequestParser(_AfterHead(to))
    parser.feed_data(head)
    return parser

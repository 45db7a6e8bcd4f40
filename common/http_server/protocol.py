"""uvicorn's protocol over llhttp, made strict: one reading of every message, or none.

What it adds (docs/decisions/0040-one-reading-of-a-message.md): an upgrade that is offered is ignored, and the body
stays its request's; trailer fields never join the headers; heads and framing are bounded; a malformed message is
answered in its own turn, never in an earlier one's.
"""

import asyncio
import http
import json
import logging
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from common.http_server import framing, ignored_upgrade, targets
from common.http_server.framing import Refusal
from common.http_server.response_cycle import ResponseCycle

MAX_TARGET = 8 * 1024
"""Bytes of path and query together (RFC 9112 §3 asks for at least 8000)."""
MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers, beyond the read in which they begin."""
FRAMING_PER_BYTE = 16
"""Bytes of chunk lines and extensions that are taken for each byte of a body, beyond `max_head`."""
LINGER_SECONDS = 1.0
"""How long a refused client may go on sending: closed at once, its own bytes would destroy the answer unread."""
LINGER_BYTES = 1024 * 1024

REST_SECONDS = 30.0
"""How long the rest of a body may take whose request is answered: nobody reads it, and nothing else bounds it."""

LEAVES_AFTER_SECONDS = 2.0
"""How long an idle connection stays at shutdown: a request on its way is answered, and told that it is the last."""

MALFORMED = Refusal(400, "These bytes are not one well-formed HTTP/1.1 request.")
TOO_LONG_TARGET = Refusal(414, f"The request target exceeds {MAX_TARGET} bytes.")
TOO_LONG_HEAD = Refusal(431, "The request's headers are too long.")

log = logging.getLogger("http_server")


class _Refused(Exception):  # noqa: N818 - an answer
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class StrictProtocol(HttpToolsProtocol):
    """Serves requests that have one reading; answers the others with a problem, and ends their connection."""

    max_target = MAX_TARGET
    max_head = MAX_HEAD
    rest_seconds = REST_SECONDS

    _rest_timer: asyncio.TimerHandle | None = None
    _in_head = False
    _in_message = False
    _at_upgrade = False  # the parser has stopped at the end of a head, or is about to
    _refused = False
    _leaving = False
    _lingered = 0
    _framing_size = 0
    _body_size = 0
    expected_until: float | None = None
    """When an idle connection is closed (the loop's time); None while a request is here."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._refused:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self.transport.abort()
            return
        begun = self._in_message
        try:
            self._feed(data)
        except httptools.HttpParserError as fault:
            cause = fault.__context__
            self._refuse(cause.refusal if isinstance(cause, _Refused) else MALFORMED)
            return
        if begun and self._in_message:
            # The first read of a message is not counted, since others may have ended in it.
            self._framing_size += len(data)
            if self._framing_size - self._body_size > self.max_head + FRAMING_PER_BYTE * self._body_size:
                self._refuse(TOO_LONG_HEAD if self._in_head else MALFORMED)

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                self._at_upgrade = False
                head = framing.without_upgrade(self.parser.get_http_version(), self.headers)
                self.parser = ignored_upgrade.parser_after(head, self)
                data = data[stopped.args[0] :]
                if data:
                    continue
            return

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._framing_size = self._body_size = 0

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self.max_target + len(b"https://") + 255:  # an authority before the path
            raise _Refused(TOO_LONG_TARGET)

    def on_header(self, name: bytes, value: bytes) -> None:
        # As uvicorn's own, without the cost of calling it for each header. Trailer fields arrive here too, and would
        # join the headers of a request that was admitted without them.
        if self._in_head:
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        refusal = framing.refusal(self.parser.get_http_version(), self.headers)
        if refusal is not None:
            raise _Refused(refusal)
        target = targets.read(self.url) if self.parser.get_method() != b"CONNECT" else None
        if target is None:
            raise _Refused(MALFORMED)
        if len(target.path) > self.max_target:
            raise _Refused(TOO_LONG_TARGET)
        self.url = target.path
        if target.authority is not None:
            self.headers[:] = [line for line in self.headers if line[0] != b"host"]
            self.headers.append((b"host", target.authority))
        self._at_upgrade = self.parser.should_upgrade()
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110 §10.1.1: such a client knows no 100
        self.start_request()
        if self.expect_100_continue:
            # An answer without 100 leaves open whether the body follows: no request comes after it.
            self.cycle.keep_alive = False

    def start_request(self) -> None:
        """Hands `scope` to the application, in its turn."""
        version = self.parser.get_http_version()
        url = httptools.parse_url(self.url)
        raw_path = url.path
        path = raw_path.decode("ascii")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = raw_path
        self.scope["query_string"] = url.query or b""
        before = self.cycle
        self.cycle = ResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=not self._leaving and version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.tasks.add(self.loop.create_task(self._run(cycle, app)))

    async def _run(self, cycle: RequestResponseCycle, app: Any) -> None:
        # As uvicorn's own, without a callback at the task's end: that would be another turn of the loop.
        try:
            await cycle.run_asgi(app)
        finally:
            self.tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._at_upgrade:
            return  # llhttp's end of a message whose body it did not look at
        self._in_message = False
        self._rest_is_there()
        super().on_message_complete()
        if self.cycle.response_complete and not self.pipeline and not self.transport.is_closing():
            # The answer came before the body's end: only now does the wait for the next request begin.
            self._expect_request()

    # ----- The wait for the next request. One timer for many: setting and cancelling one for each would cost more. ---

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._expect_request()
        if self._in_message and not self._in_head:
            # Politely closed, a connection would wait for a reader of what is written.
            self._rest_timer = self.loop.call_later(self.rest_seconds, self.transport.abort)

    def _expect_request(self) -> None:
        self.expected_until = self.loop.time() + self.timeout_keep_alive
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_at(
                self.expected_until, self.timeout_keep_alive_handler
            )

    def _unset_keepalive_if_required(self) -> None:
        self.expected_until = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self.expected_until is None:
            return
        if self.loop.time() < self.expected_until:
            self.timeout_keep_alive_task = self.loop.call_at(
                self.expected_until, self.timeout_keep_alive_handler
            )
        elif not self.transport.is_closing():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        self._rest_is_there()
        super().connection_lost(exc)

    def _rest_is_there(self) -> None:
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None

    def shutdown(self) -> None:
        """The server ends. Closed at once, an idle connection would break the request that its peer just sends."""
        if self._refused or not (self.cycle is None or self.cycle.response_complete):
            super().shutdown()
            return
        self._leaving = True
        self._unset_keepalive_if_required()
        self.loop.call_later(LEAVES_AFTER_SECONDS, self._leave)

    def _leave(self) -> None:
        # One that came meanwhile ends its connection with its answer.
        if not self._in_message and (self.cycle is None or self.cycle.response_complete):
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Ends the connection with an answer to what cannot be read, where that answer's turn has come."""
        self._refused = True
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            if self._in_message and cycle is not None and not self._in_head and cycle.more_body:
                self.transport.close()  # The rest of a body whose request was answered before.
                return
            self._answer_and_close(refusal)
        elif not cycle.more_body:
            # Earlier requests are still being answered: theirs are the last answers.
            cycle.keep_alive = False
        elif self.pipeline or cycle.response_started:
            self.transport.abort()
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._answer_and_close(refusal)

    def _answer_and_close(self, refusal: Refusal) -> None:
        headers, body = self.refusal_answer(refusal)
        # Date, which every answer has (RFC 9110 §6.6.1).
        headers = [*self.server_state.default_headers, *headers]
        phrase = http.HTTPStatus(refusal.status).phrase
        head = b"".join(b"%s: %s\r\n" % line for line in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n" % (refusal.status, phrase.encode(), head) + body)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def refusal_answer(self, refusal: Refusal) -> tuple[list[framing.Header], bytes]:
        """Headers and body of the answer to what is no request, logged."""
        log.info("refused: %s", refusal.detail)
        return problem(refusal)


def problem(refusal: Refusal, **members: Any) -> tuple[list[framing.Header], bytes]:
    """RFC 9457, for what never reached an application."""
    title = http.HTTPStatus(refusal.status).phrase
    body = json.dumps(
        {"type": "about:blank", "title": title, "status": refusal.status, "detail": refusal.detail, **members}
    ).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    return headers, body

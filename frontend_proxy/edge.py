"""The first code that sees a request: admits or refuses it, bounds its waits, and signs its answer.

Everything behind the edge may rely on: one Host, one reading of the path and of the body's end, a body of
bounded size, no cross-site use of cookies, and an `Arrival` in the request's state.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from frontend_proxy import admission, arrival, cookies, logs, peers
from frontend_proxy.admission import Line, Site
from frontend_proxy.arrival import Arrival
from frontend_proxy.asgi import ABORT, App, Message, Receive, Scope, Send
from frontend_proxy.cookies import Header, Jar
from frontend_proxy.problems import MEDIA_TYPE, Problem
from frontend_proxy.security_headers import secured
from frontend_proxy.settings import Settings

log = logging.getLogger("frontend_proxy.requests")


class Edge:
    """The ASGI application that wraps the whole proxy."""

    def __init__(self, inner: App, settings: Settings, jar: Jar) -> None:
        self._inner = inner
        self._settings = settings
        self._trusted = settings.trusted_networks
        self._site = Site(settings.public_origin, settings.production, settings.max_body)
        self._jar = jar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = arrival.by_name(list(scope["headers"]))
        request_id = arrival.request_id(headers)
        logs.request_id.set(request_id)
        answer = _Answer(send, scope, request_id, self._settings)
        started = time.monotonic()
        client = scope["client"][0] if scope["client"] else ""
        peer = peers.seen(client, scope["scheme"], headers, self._trusted)
        line = Line(scope["method"], scope["raw_path"], scope["query_string"])
        try:
            admission.check(line, headers, peer.scheme, self._site)
            scope.setdefault("state", {})["arrival"] = Arrival(
                request_id=request_id,
                traceparent=arrival.traceparent(headers),
                peer=peer,
                host=headers["host"][0],
                presented=self._jar.read(scope["headers"]),
                cookies=cookies.parse(scope["headers"]),
            )
            body = _Body(receive, self._settings)
            await self._inner(scope, body.receive, answer.send)
        except Problem as problem:
            await answer.refuse(problem)
        except Exception:
            log.exception("unexpected failure")
            await answer.refuse(
                Problem(500, "", "Something went wrong here; the request id helps to find it.")
            )
        finally:
            log.info(
                "request",
                extra={
                    "method": line.method,
                    "path": scope["path"],
                    "status": answer.status,
                    "duration_ms": round((time.monotonic() - started) * 1000, 1),
                    "client": peer.address,
                },
            )


class _Body:
    """The request body, with its size and its pauses bounded."""

    def __init__(self, receive: Receive, settings: Settings) -> None:
        self._receive = receive
        self._left = settings.max_body
        self._settings = settings
        self._more = True

    async def receive(self) -> Message:
        """Raises Problem 408 for a sender who pauses too long, 413 for a body beyond MAX_BODY."""
        try:
            # Once the body is whole, what is awaited here is the visitor's leaving: that has no deadline.
            async with asyncio.timeout(self._settings.client_timeout if self._more else None):
                message = await self._receive()
        except TimeoutError as fault:
            raise Problem(408, "", "The request body did not arrive in time.", close=True) from fault
        if message["type"] == "http.request":
            self._more = message.get("more_body", False)
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise admission.too_large(self._settings.max_body)
        return message


class _Answer:
    """The answer, with the site's headers added and a reader's pauses bounded."""

    def __init__(self, send: Send, scope: Scope, request_id: str, settings: Settings) -> None:
        self._send = send
        self._path: str = scope["path"]
        self._abort: Callable[[], None] = scope.get("extensions", {}).get(ABORT, {}).get("abort", _nothing)
        self._request_id = request_id
        self._settings = settings
        self.status = 0

    async def send(self, message: Message) -> None:
        """Drops the connection, and raises Problem, when the client does not take the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept: list[Header] = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message["headers"] = secured(kept, self._path, production=self._settings.production)
        try:
            async with asyncio.timeout(self._settings.client_timeout):
                await self._send(message)
        except TimeoutError as fault:
            self._abort()
            raise Problem(408, "", "The answer was not taken in time.", close=True) from fault

    async def refuse(self, problem: Problem) -> None:
        """Answers with `problem`; where an answer has begun already, raises it, so that the connection
        breaks."""
        if self.status:
            raise problem
        headers: list[Header] = [(b"content-type", MEDIA_TYPE.encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += problem.cookies
        if problem.close:
            headers.append((b"connection", b"close"))
        body = problem.body(self._path, self._request_id)
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _nothing() -> None:
    """Another server than ours has no connection to drop."""

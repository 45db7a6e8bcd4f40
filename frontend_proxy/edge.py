"""The first code that sees a request: admits or refuses it, bounds its waits, and signs its answer.

Everything behind the edge may rely on: one Host, one reading of the path and of the body's end, a body of
bounded size, no cross-site use of cookies, and an `Arrival` in the request's state.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from frontend_proxy import admission, arrival, cookies, logs, peers, problems
from frontend_proxy.admission import Line, Site
from frontend_proxy.arrival import Arrival
from frontend_proxy.asgi import ABORT, OVERLOADED, App, Message, Receive, Scope, Send
from frontend_proxy.cookies import Header, Jar
from frontend_proxy.metrics import Metrics, kind
from frontend_proxy.peers import Peer
from frontend_proxy.problems import MEDIA_TYPE, Problem, unexpected, wants_page
from frontend_proxy.security_headers import secured
from frontend_proxy.settings import Settings

log = logging.getLogger("frontend_proxy.requests")

RefusalPage = Callable[[Problem, Arrival, str], bytes]
"""A problem as a page, for who came as `Arrival` with this `Accept-Language`."""


class Edge:
    """The ASGI application that wraps the whole proxy."""

    def __init__(
        self, inner: App, refusal_page: RefusalPage, settings: Settings, jar: Jar, metrics: Metrics
    ) -> None:
        self._inner = inner
        self._refusal_page = refusal_page
        self._settings = settings
        self._trusted = settings.trusted_networks
        self._site = Site(settings.origin, settings.production, settings.max_body)
        self._jar = jar
        self._metrics = metrics
        self._told_unreadable = False

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
        if peer.unreadable is not None:
            self._report(peer)
        line = Line(scope["method"], scope["raw_path"], scope["query_string"])
        arrived = Arrival(
            request_id=request_id,
            traceparent=arrival.traceparent(headers),
            peer=peer,
            host=headers.get("host", [""])[0],
            presented=self._jar.read(scope["headers"]),
            cookies=cookies.parse(scope["headers"]),
        )
        try:
            self._admit(scope, line, headers, peer.scheme)
            scope.setdefault("state", {})["arrival"] = arrived
            body = _Body(receive, self._settings)
            await self._inner(scope, body.receive, answer.send)
        except Problem as problem:
            await self._refuse(problem, arrived, headers, answer)
        except Exception:
            log.exception("unexpected failure")
            await self._refuse(unexpected(), arrived, headers, answer)
        finally:
            seconds = time.monotonic() - started
            self._metrics.answered(scope["path"], answer.status, seconds)
            # Probes come every few seconds, and are of interest where they fail.
            quiet = kind(scope["path"]) == "health" and 0 < answer.status < 400
            log.log(
                logging.DEBUG if quiet else logging.INFO,
                "request",
                extra={
                    "method": line.method,
                    "path": scope["path"],
                    "status": answer.status,
                    "duration_ms": round(seconds * 1000, 1),
                    "client": peer.address,
                },
            )

    def _report(self, peer: Peer) -> None:
        # Logged once: until somebody mends that proxy, all behind it share its address, on every request.
        self._metrics.forwarded_for_unreadable()
        if not self._told_unreadable:
            self._told_unreadable = True
            log.warning(
                "a trusted proxy's X-Forwarded-For names no address",
                extra={"proxy": peer.address, "written": peer.unreadable},
            )

    def _admit(self, scope: Scope, line: Line, headers: admission.Headers, scheme: str) -> None:
        """Raises the first reason not to serve this request, counted."""
        try:
            if OVERLOADED in scope.get("extensions", {}):
                raise problems.overloaded()
            admission.check(line, headers, scheme, self._site)
        except Problem as problem:
            self._metrics.refused(problem.reason)
            raise

    async def _refuse(
        self, problem: Problem, arrived: Arrival, headers: admission.Headers, answer: "_Answer"
    ) -> None:
        """A person who came for a page gets one; everybody else, and all of the API, the problem itself."""
        if wants_page(headers) and not answer.of_api:
            language = ",".join(headers.get("accept-language", []))
            await answer.refuse(
                problem, "text/html; charset=utf-8", self._refusal_page(problem, arrived, language)
            )
        else:
            await answer.refuse(problem, MEDIA_TYPE, problem.body(answer.path, arrived.request_id))


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
        self.path: str = scope["path"]
        self._abort: Callable[[], None] = scope.get("extensions", {}).get(ABORT, {}).get("abort", _nothing)
        self._request_id = request_id
        self._settings = settings
        self.status = 0

    async def send(self, message: Message) -> None:
        """Drops the connection, and raises Problem, when the client does not take the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kept: list[Header] = [*message["headers"], (b"x-request-id", self._request_id.encode())]
            message["headers"] = secured(kept, self.path, production=self._settings.production)
        try:
            async with asyncio.timeout(self._settings.client_timeout):
                await self._send(message)
        except TimeoutError as fault:
            self._abort()
            raise Problem(408, "", "The answer was not taken in time.", close=True) from fault

    @property
    def of_api(self) -> bool:
        return f"{self.path}/".startswith("/api/")

    async def refuse(self, problem: Problem, media_type: str, body: bytes) -> None:
        """Answers with `problem`; where an answer has begun already, raises it, so that the connection
        breaks."""
        if self.status:
            raise problem
        headers: list[Header] = [(b"content-type", media_type.encode()), (b"vary", b"Accept")]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        headers += problem.cookies
        if problem.close:
            headers.append((b"connection", b"close"))
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def _nothing() -> None:
    """Another server than ours has no connection to drop."""

"""The ASGI application around everything else: it admits or refuses each request, and logs it.

Behind it every request has one Host, a path and a body with one reading, a body of bounded size, no cookies that
another site made it send, and a `RequestContext` in its state.
"""

import logging
import time
from collections.abc import Callable

from common import request_ids
from common.telemetry import tracing
from frontend_proxy import cookies, problems, request_context
from frontend_proxy.asgi import OVERLOADED, App, Receive, Scope, Send
from frontend_proxy.cookies import SessionCookies
from frontend_proxy.edge import admission, peers
from frontend_proxy.edge.admission import Line, Site
from frontend_proxy.edge.limits import BoundedBody, BoundedResponse
from frontend_proxy.edge.peers import Peer
from frontend_proxy.edge.security_headers import Origins
from frontend_proxy.metrics import Metrics, kind
from frontend_proxy.problems import MEDIA_TYPE, Problem, unexpected, wants_page
from frontend_proxy.request_context import RequestContext
from frontend_proxy.settings import Settings

log = logging.getLogger("frontend_proxy.requests")

_UNTRACED = frozenset({"health", "static"})

RefusalPage = Callable[[Problem, RequestContext, str], bytes]
"""Makes a page of a problem, for a request with this `Accept-Language`."""


class Edge:
    """The ASGI application that wraps the whole proxy."""

    def __init__(
        self,
        inner: App,
        refusal_page: RefusalPage,
        settings: Settings,
        session_cookies: SessionCookies,
        metrics: Metrics,
    ) -> None:
        self._inner = inner
        self._refusal_page = refusal_page
        self._settings = settings
        self._trusted = settings.trusted_networks
        self._cdn = Origins(settings.asset_origin, settings.media_origin)
        self._site = Site(settings.origin, settings.production, settings.max_body)
        self._session_cookies = session_cookies
        self._metrics = metrics
        self._told_unreadable = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = request_context.by_name(list(scope["headers"]))
        ids = request_ids.from_headers(headers.get("x-request-id", []), headers.get("traceparent", []))
        client = scope["client"][0] if scope["client"] else ""
        peer = peers.seen(client, scope["scheme"], headers, self._trusted)
        asked_for = kind(scope["path"])
        tracer = None if asked_for in _UNTRACED else tracing.tracer()
        if tracer is not None:
            # Whoever wants its requests traced could fill the collector: a stranger's decision does not count.
            ids = tracer.decided(ids, parent_decides=peer.proxied)
        span = tracer.begin(ids, scope["method"]) if tracer is not None else None
        request_ids.current.set(ids)
        answer = BoundedResponse(send, scope, ids.request_id, self._settings, self._cdn)
        started = time.monotonic()
        self._metrics.arrived()
        if peer.unreadable is not None:
            self._report(peer)
        line = Line(scope["method"], scope["raw_path"], scope["query_string"])
        sent = cookies.parse(scope["headers"])
        context = RequestContext(
            ids=ids,
            peer=peer,
            host=headers.get("host", [""])[0],
            sent_tokens=self._session_cookies.among(sent),
            cookies=sent,
        )
        try:
            self._admit(scope, line, headers, peer.scheme)
            scope.setdefault("state", {})["request_context"] = context
            body = BoundedBody(receive, self._settings)
            await self._inner(scope, body.receive, answer.send)
        except Problem as problem:
            await self._refuse(problem, context, headers, answer)
        except Exception:
            log.exception("unexpected failure")
            await self._refuse(unexpected(), context, headers, answer)
        finally:
            seconds = time.monotonic() - started
            if span is not None:
                tracing.finish(span, scope.get("path_template") or asked_for, answer.status, seconds)
            self._metrics.answered(asked_for, scope["path"], answer.status, seconds)
            # Probes come every few seconds; only those that fail are of interest.
            quiet = asked_for == "health" and 0 < answer.status < 400
            level = logging.DEBUG if quiet else logging.INFO
            if log.isEnabledFor(level):
                log.log(
                    level,
                    "request",
                    extra={
                        "method": line.method,
                        "path": scope["path"],
                        "status": answer.status,
                        "duration_ns": round(seconds * 1e9),
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
        self, problem: Problem, context: RequestContext, headers: admission.Headers, answer: BoundedResponse
    ) -> None:
        """Answers a page to a browser that navigates, and a problem document to the API and to programs."""
        if wants_page(headers) and not answer.of_api:
            language = ",".join(headers.get("accept-language", []))
            await answer.refuse(
                problem, "text/html; charset=utf-8", self._refusal_page(problem, context, language)
            )
        else:
            await answer.refuse(problem, MEDIA_TYPE, problem.body(answer.path, context.request_id))

"""Error pages in the visitor's language, with a link to go on and the request's id."""

import logging
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse

from common.languages import preferred
from frontend_proxy.pages import methods
from frontend_proxy.pages.page_context import PageContext, PageRequest, Redirect, guest
from frontend_proxy.pages.site import Site, redirect
from frontend_proxy.pages.translator import COOKIE
from frontend_proxy.problems import MEDIA_TYPE, Problem, unexpected, wants_page
from frontend_proxy.request_context import RequestContext

log = logging.getLogger("frontend_proxy.pages")


class ErrorPages:
    """The exception handlers of the pages, and the page for a request that the edge refuses."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def redirected(self, _: PageRequest, reason: Redirect) -> Response[bytes]:
        return _Ready(
            redirect(reason.location, self._site.session_cookies.end() if reason.ended else (), reason.status)
        )

    def problem(self, request: PageRequest, problem: Problem) -> Response[bytes]:
        return self._answer(request, problem)

    def refused(self, request: PageRequest, fault: HTTPException) -> Response[bytes]:
        known = next(
            (value for name, value in (fault.headers or {}).items() if name.lower() == "allow"), None
        )
        headers = {} if known is None else {"Allow": methods.allow(known)}
        return self._answer(request, Problem(fault.status_code, "", fault.detail, headers=headers))

    def failed(self, request: PageRequest, fault: Exception) -> Response[bytes]:
        log.error("a page failed", exc_info=fault)
        return self._answer(request, unexpected())

    def at_the_edge(self, problem: Problem, context: RequestContext, accepted: str) -> bytes:
        """The page for a request that the edge refuses. It shows nothing of the request and links to the first page."""
        language = preferred(context.cookies.get(COOKIE), accepted)
        visitor = PageContext(context, language, target="/", agent="", access=None, roles=())
        return self._page(visitor, problem, retry=None).body

    def _answer(self, request: PageRequest, problem: Problem) -> Response[bytes]:
        visitor = guest(request)
        accept = {"accept": request.headers.getall("accept", [])}
        headers = {**problem.headers, **({"Connection": "close"} if problem.close else {})}
        if not wants_page(accept):
            body = problem.body(request.url.path, visitor.request.request_id)
            answer = ASGIResponse(
                body=body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers
            )
            return _Ready(answer)
        again = visitor.target if problem.status >= 500 and request.method == "GET" else None
        answer = self._page(visitor, problem, retry=again)
        for name, value in headers.items():
            answer.headers[name] = value
        return _Ready(answer)

    def _page(self, visitor: PageContext, problem: Problem, *, retry: str | None) -> ASGIResponse:
        return self._site.views.page(
            visitor,
            "shared/error.html",
            status=problem.status,
            problem_status=problem.status,
            message=self._site.views.translator(visitor).problem(problem.name, problem.status),
            retry=retry,
        )


class _Ready(Response[bytes]):
    """A response that is made already, in the type that Litestar expects of an exception handler."""

    def __init__(self, answer: ASGIResponse) -> None:
        super().__init__(b"")
        self._answer = answer

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return self._answer

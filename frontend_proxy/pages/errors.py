"""Pages for what goes wrong, in the visitor's language, with a way on and the request's id."""

import logging
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse

from frontend_proxy.pages.site import Site, go
from frontend_proxy.pages.visitor import Asked, Elsewhere, guest
from frontend_proxy.problems import Problem

log = logging.getLogger("frontend_proxy.pages")


class ErrorPages:
    """The exception handlers of the pages."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def elsewhere(self, _: Asked, reason: Elsewhere) -> Response[bytes]:
        return _Ready(go(reason.location, self._site.jar.end() if reason.ended else (), reason.status))

    def problem(self, request: Asked, problem: Problem) -> Response[bytes]:
        return self._page(request, problem.status, problem.name)

    def refused(self, request: Asked, fault: HTTPException) -> Response[bytes]:
        return self._page(request, fault.status_code, "")

    def failed(self, request: Asked, fault: Exception) -> Response[bytes]:
        log.error("a page failed", exc_info=fault)
        return self._page(request, 500, "")

    def _page(self, request: Asked, status: int, name: str) -> Response[bytes]:
        visitor = guest(request)
        message = self._site.views.tongue(visitor).problem(name, status)
        answer = self._site.views.page(
            visitor,
            "shared/error.html",
            status=status,
            problem_status=status,
            message=message,
            retry=visitor.target if status >= 500 and request.method == "GET" else None,
        )
        return _Ready(answer)


class _Ready(Response[bytes]):
    """An answer that is made already, in the form in which Litestar takes it from an exception handler."""

    def __init__(self, answer: ASGIResponse) -> None:
        super().__init__(b"")
        self._answer = answer

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return self._answer

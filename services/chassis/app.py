"""Puts a service together: its handlers inside the frame that all services share."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler
from prometheus_client import CollectorRegistry

from common.telemetry import tracing
from common.telemetry.loop_lag import LoopLag
from services.chassis import docs, handler_spans, health, metrics, problem_types, problems
from services.chassis.admission import Admission
from services.chassis.audit import AdminAudit
from services.chassis.direct_calls import DirectCalls
from services.chassis.http_methods import HttpMethods
from services.chassis.identity import Access, Authenticator, provide_identity
from services.chassis.middleware import RequestMetrics, RequestMiddleware
from services.chassis.reading import ParameterCheck, ReadingRequest

VERSION = "0.1.0"
MAX_BODY_BYTES = 1024 * 1024

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]


def create_app(
    *,
    title: str,
    handlers: Sequence[ControllerRouterHandler],
    authenticator: Authenticator | None,
    internal_key: str | None = None,
    dependencies: Mapping[str, Provide] | None = None,
    refusals: problems.Refusals | None = None,
    state: Mapping[str, Any] | None = None,
    lifespan: Sequence[Lifespan] = (),
    checks: Mapping[str, health.Check] | None = None,
    registry: CollectorRegistry | None = None,
) -> Litestar:
    """The app of one service.

    `handlers` are for signed-in callers unless they say `public` or `internal` (identity.py). `refusals` maps domain
    errors to problems. `lifespan` items are entered in order before the first request and left in reverse after the
    last. `checks` are the dependencies that readiness names.
    """
    registry = registry or metrics.new_registry()
    checks_of_requests = (Access(authenticator, internal_key), ParameterCheck())
    answers_to_faults = problems.handlers(refusals or {})
    app = Litestar(
        route_handlers=[
            *handlers,
            health.alive,
            health.readiness(checks or {}),
            metrics.handler(registry),
            problem_types.problem_type,
        ],
        dependencies={"identity": Provide(provide_identity, sync_to_thread=False), **(dependencies or {})},
        before_request=handler_spans.begin if tracing.tracer() is not None else None,
        middleware=[DefineMiddleware(Admission, checks=checks_of_requests)],
        exception_handlers=answers_to_faults,
        state=State(dict(state or {})),
        lifespan=[_entered((LoopLag(registry).lifespan, *lifespan))],
        openapi_config=docs.openapi(title, VERSION),
        request_class=ReadingRequest,
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        debug=False,
    )
    calls = DirectCalls(app, app.asgi_handler, checks_of_requests, answers_to_faults)
    app.asgi_handler = RequestMiddleware(
        HttpMethods(calls, _methods(app)), RequestMetrics(registry), AdminAudit(registry)
    )
    return app


def _methods(app: Litestar) -> dict[str, set[str]]:
    """The methods of each route, by its template."""
    found: dict[str, set[str]] = {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            found.setdefault(route.path_format, set()).update(route.methods)
    return found


def _entered(items: Sequence[Lifespan]) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for item in items:
                await stack.enter_async_context(item())
            yield

    return run

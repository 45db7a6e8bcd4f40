"""The span of a request's handler: from where the caller is known to where the answer begins, which ends it
(`tracing.answering`)."""

from typing import Any

from litestar import Request

from common.telemetry import spans
from common.telemetry.spans import Kind


async def begin(request: Request[Any, Any, Any]) -> None:
    within = spans.sampled()
    if within is None:
        return
    name = str(request.route_handler)
    spans.current.set(within.child(name.rpartition(".")[2], Kind.INTERNAL, {"code.function.name": name}))

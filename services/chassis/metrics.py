"""`/metrics` in Prometheus' text format. Never routed by the gateway."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from common.http_client import HttpClient
from common.telemetry.calls import OutgoingCalls
from common.telemetry.metrics import new_registry

__all__ = ["handler", "measured_client", "new_registry"]


def measured_client(registry: CollectorRegistry) -> HttpClient:
    """The service's client of other parts, which counts its calls."""
    return HttpClient(ended=OutgoingCalls(registry).ended)


def handler(registry: CollectorRegistry) -> HTTPRouteHandler:
    @get("/metrics", public=True, include_in_schema=False, sync_to_thread=False)
    def metrics() -> Response[bytes]:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return metrics

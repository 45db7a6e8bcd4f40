"""`/metrics` in Prometheus' text format. Never routed by the gateway."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from common.telemetry import metrics as telemetry


def new_registry() -> CollectorRegistry:
    """A registry of the app's own: two apps in one process, as in tests, do not mix their counts."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    telemetry.register(registry)
    return registry


def handler(registry: CollectorRegistry) -> HTTPRouteHandler:
    @get("/metrics", public=True, include_in_schema=False, sync_to_thread=False)
    def metrics() -> Response[bytes]:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return metrics

"""Kong's Status API, which only shows: `/status`, `/status/ready`, and `/metrics` of the prometheus plugin."""

from __future__ import annotations

from aiohttp import web

from devstack.gateway.admin import Admin
from devstack.gateway.attachments import METRICS


class Status:
    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """An aiohttp handler."""
        if request.method not in {"GET", "HEAD"}:
            return web.json_response({"message": "Method not allowed"}, status=405)
        match request.path:
            case "/metrics":
                return web.Response(text=METRICS.exposition(self._admin.requests()))
            case "/status/ready":
                return web.json_response({"message": "ready"})
            case "/status":
                return self._admin.show(request)
            case _:
                return web.json_response({"message": "Not found"}, status=404)

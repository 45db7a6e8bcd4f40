"""Who is calling, as far as the network shows."""

import logging
from collections.abc import Sequence
from typing import Any

from litestar import Request
from prometheus_client import CollectorRegistry, Counter

from common import client_address, header_bytes, languages
from common.client_address import Network
from services.auth.application.login_service import Client

_log = logging.getLogger(__name__)


class ClientReader:
    """The `client` dependency of handlers."""

    def __init__(self, trusted: Sequence[Network], registry: CollectorRegistry) -> None:
        self._trusted = trusted
        self._told = False
        self._unreadable = Counter(
            "auth_unreadable_forwarded_for_total",
            "Requests whose X-Forwarded-For, written by a trusted proxy, names no address.",
            registry=registry,
        )

    def __call__(self, request: Request[Any, Any, Any]) -> Client:
        peer = request.client.host if request.client else ""
        lines = request.headers.getall("X-Forwarded-For", [])
        found = client_address.client(peer, lines, self._trusted)
        if found.unreadable is not None:
            self._report(found.address, found.unreadable)
        return Client(
            address=found.address,
            device=header_bytes.shown(request.headers.get("User-Agent", "")),
            language=languages.preferred(None, request.headers.get("Accept-Language", "")),
        )

    def _report(self, proxy: str, written: str) -> None:
        # Once: everybody behind that proxy shares its address until somebody mends it, on every request.
        self._unreadable.inc()
        if not self._told:
            self._told = True
            _log.warning(
                "a trusted proxy's X-Forwarded-For names no address",
                extra={"proxy": proxy, "written": written},
            )

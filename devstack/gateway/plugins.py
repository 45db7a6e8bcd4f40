"""What a plugin is to the stand-in, and the bundled ones that it knows itself."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lupa.luajit21 import LuaError

from devstack.gateway.exchange import Answer, Exchange, Exit, Source
from devstack.gateway.headers import Headers
from devstack.gateway.lua import LuaPlugin
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.pdk import functions

UNITS = {"bytes": 1, "kilobytes": 1 << 10, "megabytes": 1 << 20}
LUA_PRIORITIES = {"pre-function": 1000000, "post-function": -1000}
LUA_PHASES = ("rewrite", "access", "header_filter", "body_filter", "log")


class Attachment:
    """One plugin at one place. A phase that a plugin does not have is left as it is here."""

    name: str
    priority: int
    needs_whole_response = False

    def rewrite(self, exchange: Exchange) -> None:
        """Before the router; asked of plugins that are attached everywhere. May raise Exit."""

    async def access(self, exchange: Exchange) -> None:
        """Before the upstream. Raises Exit with an answer of its own; any other exception ends in a 500."""

    async def response(self, exchange: Exchange) -> None:
        """With the upstream's whole answer; may raise Exit to replace it."""

    def header_filter(self, exchange: Exchange) -> None:
        """With every answer's status and headers, before the client gets them."""

    def body_filter(self, exchange: Exchange) -> None:
        """With a body that is there as a whole."""

    def log(self, exchange: Exchange) -> None:
        """After the answer's last byte, or where its sending ended."""


class CorrelationId(Attachment):
    """kong/plugins/correlation-id, generator `uuid`."""

    name = "correlation-id"
    priority = 100001

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._header = str(config.get("header_name", "Kong-Request-ID"))
        self._echo = bool(config.get("echo_downstream", False))

    async def access(self, exchange: Exchange) -> None:
        if not exchange.headers.get(self._header):
            exchange.headers.set(self._header, str(uuid.uuid4()))

    def header_filter(self, exchange: Exchange) -> None:
        if self._echo and exchange.answer is not None:
            value = exchange.headers.get(self._header) or str(uuid.uuid4())
            exchange.answer.headers.set(self._header, value)


class RequestSizeLimiting(Attachment):
    """kong/plugins/request-size-limiting."""

    name = "request-size-limiting"
    priority = 951

    def __init__(self, config: Mapping[str, Any], own: OwnAnswers) -> None:
        unit = str(config.get("size_unit", "megabytes"))
        self._allowed = int(config.get("allowed_payload_size", 128)) * UNITS[unit]
        self._own = own

    async def access(self, exchange: Exchange) -> None:
        declared = exchange.headers.get("Content-Length") or ""
        size = int(declared) if declared.isdigit() else len(exchange.body)
        if size > self._allowed:
            waits = (exchange.headers.get("Expect") or "").strip().lower() == "100-continue"
            raise Exit(self._own.refused(exchange, 417 if waits else 413, "Request size limit exceeded"))


class RequestTermination(Attachment):
    """kong/plugins/request-termination, for every request (no trigger)."""

    name = "request-termination"
    priority = 2

    def __init__(self, config: Mapping[str, Any], own: OwnAnswers) -> None:
        self._status = int(config.get("status_code") or 503)
        self._message = config.get("message")
        self._body = config.get("body")
        self._type = str(config.get("content_type") or "application/json; charset=utf-8")
        self._own = own

    async def access(self, exchange: Exchange) -> None:
        if self._body is None:
            raise Exit(self._own.refused(exchange, self._status, self._message))
        content = str(self._body).encode()
        headers = Headers([("Content-Type", self._type), ("Content-Length", str(len(content)))])
        raise Exit(Answer(self._status, headers, content, Source.EXIT))


class LuaFunctions(Attachment):
    """pre-function and post-function: the same plugin at either end of the chain."""

    def __init__(self, name: str, plugin_id: str, config: Mapping[str, Any], own: OwnAnswers) -> None:
        self.name = name
        self.priority = LUA_PRIORITIES[name]
        self._id = plugin_id
        self._own = own
        self._plugin = LuaPlugin(name, {phase: config[phase] for phase in LUA_PHASES if config.get(phase)})

    def rewrite(self, exchange: Exchange) -> None:
        self._run("rewrite", exchange)

    async def access(self, exchange: Exchange) -> None:
        self._run("access", exchange)

    def header_filter(self, exchange: Exchange) -> None:
        self._run("header_filter", exchange)

    def body_filter(self, exchange: Exchange) -> None:
        self._run("body_filter", exchange)

    def log(self, exchange: Exchange) -> None:
        with suppress(LuaError):  # the client has its answer
            self._run("log", exchange)

    def _run(self, phase: str, exchange: Exchange) -> None:
        if not self._plugin.has(phase):
            return
        own_context = exchange.private.setdefault(self._id, self._plugin.context())
        shared = self._plugin.context(exchange.shared)
        table = functions(exchange, self._own, lambda line: print(f"{self.name}: {line}", flush=True))
        try:
            self._plugin.run(phase, table, (shared, own_context))
        except LuaError as error:
            reason = str(error).partition("\n")[0]
            now = time.strftime("%Y/%m/%d %H:%M:%S")
            print(f"{now} [error] [{self.name}] {reason}", file=sys.stderr, flush=True)
            raise
        finally:
            exchange.shared.update(self._plugin.values(shared))  # each attachment has a Lua of its own

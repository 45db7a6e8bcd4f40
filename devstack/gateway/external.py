"""A plugin in a plugin server, called as Kong calls it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from devstack.gateway.entities import Plugin
from devstack.gateway.exchange import Exchange, Exit
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.pdk import Functions, exit_answer, functions
from devstack.gateway.plugins import Attachment
from devstack.kongside.client import Exited, PluginServerClient


@dataclass(frozen=True)
class PluginServer:
    """What Kong knows of one: its dump, and a way to it."""

    name: str
    client: PluginServerClient
    phases: tuple[str, ...]
    priority: int
    schema: Mapping[str, Any]


class ExternalPlugin(Attachment):
    """One attachment, with an instance of its own in the server. What fails there ends in a 500."""

    def __init__(
        self, server: PluginServer, plugin: Plugin, config: Mapping[str, Any], own: OwnAnswers
    ) -> None:
        self.name = server.name
        self.priority = server.priority
        self.needs_whole_response = "response" in server.phases
        self._client = server.client
        self._phases = server.phases
        self._config = {**config, **_identity(plugin)}
        self._own = own

    async def access(self, exchange: Exchange) -> None:
        await self._call("access", exchange)

    async def response(self, exchange: Exchange) -> None:
        await self._call("response", exchange)

    async def _call(self, phase: str, exchange: Exchange) -> None:
        if phase not in self._phases:
            return
        table = functions(exchange, self._own, lambda line: print(f"{self.name}: {line}", flush=True))
        outcome = await self._client.handle_event(self._config, phase, _over_the_wire(table))
        if isinstance(outcome, Exited):
            raise Exit(exit_answer(outcome.status, outcome.body, _bytewise(outcome.headers)))


def _over_the_wire(table: Functions) -> Functions:
    """The wire has UTF-8 where this gateway has one character a byte."""

    def translated(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: _textual(function(*(_bytewise(argument) for argument in arguments)))

    return {name: translated(function) for name, function in table.items()}


def _textual(value: Any) -> Any:
    return _each_text(value, lambda text: text.encode("latin-1").decode("utf-8", "surrogateescape"))


def _bytewise(value: Any) -> Any:
    return _each_text(value, lambda text: text.encode("utf-8", "surrogateescape").decode("latin-1"))


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """Every text in a value of texts, lists and records."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_each_text(key, change): _each_text(entry, change) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each_text(entry, change) for entry in value)
    return value


def _identity(plugin: Plugin) -> dict[str, Any]:
    """The fields that Kong adds to a configuration; they tell instances apart."""
    identity = {"__plugin_id": plugin.id, "__key__": f"plugins:{plugin.name}:{plugin.id}", "__seq__": 1}
    if plugin.route is not None:
        identity["route_id"] = plugin.route.id
    if plugin.service is not None:
        identity["service_id"] = plugin.service.id
    return identity

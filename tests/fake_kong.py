"""Plays Kong for one request: in memory for a plugin's sequence, or over the wire with a plugin server's client.

Calls and answers are the bytes of the wire either way, so the plugin's own PDK facade is in every test.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from devstack.kongside import methods
from devstack.kongside.client import Exited, Pdk, PluginServerClient
from kong.plugins import request_summary
from kong.plugins.runtime.at_once import AtOnce
from kong.plugins.runtime.messages import BodyInFile, Value
from kong.plugins.runtime.pdk import Kong, Question


class _Exit(BaseException):
    """Unwinds a phase that ended with `kong.response.exit` or `hand_over`."""


@dataclass
class Answer:
    """What the client got from the plugin."""

    status: int
    body: bytes
    headers: dict[str, Value]

    def problem(self) -> dict[str, Any]:
        assert self.headers["Content-Type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return document


@dataclass
class FakeKong:
    """A request, and what becomes of it: `upstream` headers set for it, or an `answer` that ended it.

    `answers`: whether the gateway has the function that gives answers which a plugin hands over (post-function).
    `summary`: whether it has the variable of kong/access-summary.conf. `sent_to`: what a plugin put in the service's
    place.
    """

    method: str = "GET"
    path: str = "/api/home"
    headers: dict[str, Value] = field(default_factory=dict)
    body: bytes = b""
    body_in_file: bool = False
    client: str = "192.0.2.1"
    route: str = "the-route"
    service: str = "the-service"
    upstream_host: str = ""
    request_id: str = "0123456789abcdef0123456789abcdef"

    status: int = 200
    response_headers: dict[str, Value] = field(default_factory=dict)
    response_body: bytes = b""

    answers: bool = True
    summary: bool = True
    sent_to: tuple[str, int] | None = None
    shared: dict[str, Value] = field(default_factory=dict)
    upstream: dict[str, Value] = field(default_factory=dict)
    answer: Answer | None = None
    calls: list[str] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)
    writes: int = 0

    async def run(self, plugin: Any, phase: str) -> Answer | None:
        """Runs a phase in memory and returns how it ended: None where the request goes on.

        The whole phase, which must say what the plugin would have decided at once.
        """
        decided = self._decided_at_once(plugin, phase)
        try:
            await getattr(plugin, phase)(Kong(self))
        except _Exit:
            assert decided is None
            return self.answer or self._handed_over()
        assert decided in (None, self.told)
        return None

    def _decided_at_once(self, plugin: Any, phase: str) -> list[bytes] | None:
        at_once: AtOnce[Any] | None = getattr(plugin, "at_once", {}).get(phase)
        if at_once is None:
            return None
        said = at_once.decided(self._result_of(at_once.call))
        return None if said is None else list(said)

    async def send(self, server: PluginServerClient, config: dict[str, Any], phase: str) -> Answer | None:
        """Has a plugin server run a phase. Raises PluginServerError where Kong would answer 500."""
        ended = await server.handle_event(config, phase, self.pdk())
        if isinstance(ended, Exited):
            return Answer(ended.status, ended.body, dict(ended.headers))
        return self._handed_over()

    def pdk(self) -> Pdk:
        """What Kong answers, and does, for this request."""
        variables = {
            "kong_request_id": self.request_id,
            "request_id": secrets.token_hex(16),
            "upstream_host": self.upstream_host,
        }
        if self.summary:
            variables[request_summary.VARIABLE] = "\n".join(
                (self.request_id, self.method, self._host(), self.path, self.service, self.upstream_host)
            )
        return {
            "kong.request.get_headers": lambda most: _first_of(self.headers, most),
            "kong.request.get_header": lambda name: _first(self.headers.get(name.lower())),
            "kong.request.get_method": lambda: self.method,
            "kong.request.get_path_with_query": lambda: self.path,
            "kong.request.get_host": self._host,
            "kong.request.get_path": lambda: self.path.partition("?")[0].replace("//", "/"),
            "kong.request.get_raw_query": lambda: self.path.partition("?")[2],
            "kong.request.get_raw_body": lambda: BodyInFile("/kong/body") if self.body_in_file else self.body,
            "kong.client.get_forwarded_ip": lambda: self.client,
            "kong.nginx.get_var": variables.get,
            "kong.router.get_route": lambda: {"id": self.route},
            "kong.router.get_service": lambda: {"name": self.service},
            "kong.ctx.shared.get": self.shared.get,
            "kong.ctx.shared.set": self.shared.__setitem__,
            "kong.service.set_target": lambda host, port: setattr(self, "sent_to", (host, port)),
            "kong.service.request.set_headers": self.upstream.update,
            "kong.service.request.set_header": self.upstream.__setitem__,
            "kong.service.request.clear_header": lambda name: self.upstream.__setitem__(name, None),
            "kong.service.request.set_raw_query": lambda query: self.upstream.__setitem__("?", query),
            "kong.response.set_header": self.response_headers.__setitem__,
            "kong.response.clear_header": lambda name: self.response_headers.pop(name, None),
            "kong.service.response.get_status": lambda: self.status,
            "kong.response.get_headers": lambda most: _first_of(self.response_headers, most),
            "kong.service.response.get_raw_body": lambda: self.response_body,
        }

    def _host(self) -> str:
        return str(self.headers.get("host", "")).lower().partition(":")[0]

    # What a phase in memory asks for (`kong.plugins.runtime.pdk.Event`).

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        self.writes += 1
        yield from ()
        return tuple(question.decode(self._carry_out(question.call)) for question in questions)

    def tell(self, call: bytes) -> None:
        self.told.append(call)
        self._carry_out(call)

    def exit(self, call: bytes) -> NoReturn:
        self.answer = Answer(*methods.exit_arguments(_cut(call)[1]))
        raise _Exit

    def hand_over(self, call: bytes) -> NoReturn:
        self._carry_out(call)
        raise _Exit

    def _handed_over(self) -> Answer | None:
        """As kong.yml.template's post-function does."""
        match self.shared.get("answer") if self.answers else None:
            case {"status": float(status), "body": str(body), "headers": dict(headers)}:
                return Answer(int(status), body.encode("utf-8", "surrogateescape"), headers)
        return None

    def _carry_out(self, call: bytes) -> bytes:
        self.calls.append(_cut(call)[0])
        return self._result_of(call)

    def _result_of(self, call: bytes) -> bytes:
        method, argument = _cut(call)
        return methods.encode_result(method, self.pdk()[method](*methods.METHODS[method][0](argument)))


def _first(value: Value) -> Value:
    return value[0] if isinstance(value, list) else value


def _first_of(headers: dict[str, Value], most: int) -> dict[str, Value]:
    """As many values as Kong tells of, in their order."""
    told: dict[str, Value] = {}
    for name, value in headers.items():
        lines = value if isinstance(value, list) else [value]
        if most > 0:
            told[name] = value if len(lines) == 1 else lines[:most]
        most -= len(lines)
    return told


def _cut(call: bytes) -> tuple[str, bytes]:
    """The two frames of a call: the method's name, its argument."""
    size = int.from_bytes(call[:4], "little")
    return call[4 : 4 + size].decode(), call[8 + size :]

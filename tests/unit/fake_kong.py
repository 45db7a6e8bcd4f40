"""Plays Kong for one request in memory, so that a plugin's sequence can be tried without any process.

Calls and answers are the bytes of the wire, so the plugin's own PDK facade is in the test.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from kong.plugins.runtime import messages
from kong.plugins.runtime.messages import Value
from kong.plugins.runtime.pdk import Kong, Question
from kong.plugins.runtime.wire import bytes_field, fields, tagged


class Exited(BaseException):
    """The phase ended with `kong.response.exit`."""


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
    """A request, and what becomes of it: `upstream` headers set for it, or an `answer` that ended it."""

    method: str = "GET"
    path: str = "/api/home"
    headers: dict[str, Value] = field(default_factory=dict)
    body: bytes = b""
    body_in_file: bool = False
    client: str = "192.0.2.1"
    request_id: str = "0123456789abcdef0123456789abcdef"

    status: int = 200
    response_headers: dict[str, Value] = field(default_factory=dict)
    response_body: bytes = b""

    shared: dict[str, Value] = field(default_factory=dict)
    upstream: dict[str, Value] = field(default_factory=dict)
    answer: Answer | None = None
    calls: list[str] = field(default_factory=list)
    writes: int = 0

    async def run(self, plugin: Any, phase: str) -> Answer | None:
        """Runs a phase and returns how it ended: None where the request goes on."""
        try:
            await getattr(plugin, phase)(Kong(self))
        except Exited:
            return self.answer
        return None

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        self.writes += 1
        yield from ()
        return tuple(question.decode(self._reply(*_call(question.call))) for question in questions)

    def tell(self, call: bytes) -> None:
        method, argument = _call(call)
        self.calls.append(method)
        match method:
            case "kong.service.request.set_headers":
                self.upstream |= messages.struct(argument)
            case "kong.service.request.clear_header":
                self.upstream[messages.text(argument)] = None
            case "kong.ctx.shared.set":
                self.shared[messages.text(tagged(1, bytes_field(argument, 1) or b""))] = messages.value(
                    bytes_field(argument, 2) or b""
                )
            case _:
                raise AssertionError(f"unexpected statement {method}")

    def exit(self, call: bytes) -> NoReturn:
        _, argument = _call(call)
        values = dict(fields(argument))
        headers = values.get(3, b"")
        assert isinstance(headers, bytes)
        status, body = values[1], values.get(2, b"")
        assert isinstance(status, int)
        assert isinstance(body, bytes)
        self.answer = Answer(status, body, messages.struct(headers))
        raise Exited

    def _reply(self, method: str, argument: bytes) -> bytes:
        self.calls.append(method)
        match method:
            case "kong.request.get_headers":
                return messages.encode_struct(self.headers)
            case "kong.request.get_header":
                return messages.encode_text(_first(self.headers, messages.text(argument)))
            case "kong.request.get_method":
                return messages.encode_text(self.method)
            case "kong.request.get_path_with_query":
                return messages.encode_text(self.path)
            case "kong.request.get_path":
                return messages.encode_text(self.path.partition("?")[0].replace("//", "/"))
            case "kong.request.get_raw_body":
                return tagged(2, b"/kong/body") if self.body_in_file else messages.encode_content(self.body)
            case "kong.client.get_forwarded_ip":
                return messages.encode_text(self.client)
            case "kong.nginx.get_var":
                return messages.encode_text(
                    self.request_id if messages.text(argument) == "request_id" else ""
                )
            case "kong.ctx.shared.get":
                return messages.encode_value(self.shared.get(messages.text(argument)))
            case "kong.service.response.get_status":
                return messages.encode_integer(self.status)
            case "kong.response.get_headers":
                return messages.encode_struct(self.response_headers)
            case "kong.service.response.get_raw_body":
                return messages.encode_content(self.response_body)
        raise AssertionError(f"unexpected question {method}")


def _first(headers: Mapping[str, Value], name: str) -> str:
    value = headers.get(name.lower(), "")
    if isinstance(value, list):
        value = value[0]
    assert isinstance(value, str)
    return value


def _call(call: bytes) -> tuple[str, bytes]:
    """The two frames of a call: the method's name, its argument."""
    size = int.from_bytes(call[:4], "little")
    return call[4 : 4 + size].decode(), call[8 + size :]

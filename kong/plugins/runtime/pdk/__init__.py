"""What a plugin's phase may ask of Kong: the PDK as typed methods.

A phase gets one `Kong` and uses it until it returns. Two kinds of method:

* Questions (`await kong.request.get_header("x")`) wait for Kong's answer: about 40 microseconds of Kong's time each.
  `await kong.gather(question, question, ...)` sends several in one write and waits once.
* Statements (`kong.service.request.set_headers({...})`, all setters, `kong.log`) are queued at once and go out with
  the next question or with the end of the phase. They return None and are not awaited. Kong carries them out in
  order and fails the request with 500 if it refuses one: a request goes upstream only if all were obeyed.

`kong.response.exit(...)` raises, so it ends the phase wherever it stands.

Text is UTF-8; bytes of a request that are not come as lone surrogates (`surrogateescape`) and go back unchanged.
Numbers from Kong's dynamic values (`ctx`, query arguments) are floats. Where Kong has no value the answer is None.
"Phases" in a docstring are those in which Kong 3.9 allows the call; in another one it fails the request with 500.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from kong.plugins.runtime.messages import BodyInFile, UriCaptures, Value
from kong.plugins.runtime.pdk.calls import Event, Gathered, HeaderValue, Question
from kong.plugins.runtime.pdk.context import Client, Context, Log, Nginx, Node, Router
from kong.plugins.runtime.pdk.headers import ConstantHeaders
from kong.plugins.runtime.pdk.request import Request
from kong.plugins.runtime.pdk.response import HANDED_OVER, Response
from kong.plugins.runtime.pdk.service import Service

__all__ = [
    "HANDED_OVER",
    "BodyInFile",
    "ConstantHeaders",
    "Event",
    "HeaderValue",
    "Kong",
    "Question",
    "UriCaptures",
    "Value",
]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class Kong:
    """The PDK of one event. It is over when the phase ends: any later call raises `EventOverError`."""

    __slots__ = ("_event",)

    def __init__(self, event: Event) -> None:
        self._event = event

    @property
    def event(self) -> Event:
        """What all calls go through: a `Kong` of one's own around it sees them."""
        return self._event

    @property
    def request(self) -> Request:
        return Request(self._event)

    @property
    def response(self) -> Response:
        return Response(self._event)

    @property
    def service(self) -> Service:
        return Service(self._event)

    @property
    def client(self) -> Client:
        return Client(self._event)

    @property
    def ctx(self) -> Context:
        return Context(self._event)

    @property
    def nginx(self) -> Nginx:
        return Nginx(self._event)

    @property
    def node(self) -> Node:
        return Node(self._event)

    @property
    def router(self) -> Router:
        return Router(self._event)

    @property
    def log(self) -> Log:
        return Log(self._event)

    @overload
    async def gather(self, a: Question[A], b: Question[B], /) -> tuple[A, B]: ...
    @overload
    async def gather(self, a: Question[A], b: Question[B], c: Question[C], /) -> tuple[A, B, C]: ...
    @overload
    async def gather(
        self, a: Question[A], b: Question[B], c: Question[C], d: Question[D], /
    ) -> tuple[A, B, C, D]: ...
    @overload
    async def gather(
        self, a: Question[A], b: Question[B], c: Question[C], d: Question[D], e: Question[E], /
    ) -> tuple[A, B, C, D, E]: ...
    @overload
    async def gather(self, *questions: Question[Any]) -> tuple[Any, ...]: ...
    async def gather(self, *questions: Question[Any]) -> tuple[Any, ...]:
        """Send the questions in one write, wait once, and return their answers in order."""
        return await Gathered(self._event, questions)

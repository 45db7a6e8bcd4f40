"""How a phase's calls are made: the event that they go through, and the questions that are awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import lru_cache
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar

from kong.plugins.runtime import messages
from kong.plugins.runtime.frames import frame

T = TypeVar("T")

HeaderValue: TypeAlias = str | Sequence[str]
"""A sequence is the header repeated, in order."""


class Event(Protocol):
    """The event that a phase runs for. Every method raises `EventOverError` once it has ended."""

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        """Send what is queued and these questions; suspend until all are answered; return the answers in order."""

    def tell(self, call: bytes) -> None:
        """Queue a statement: the frames of its method and argument."""

    def exit(self, call: bytes) -> NoReturn:
        """Queue `kong.response.exit` and unwind the phase."""

    def hand_over(self, call: bytes) -> NoReturn:
        """Queue the statement that leaves an answer with Kong, and unwind the phase: it has returned."""


class Question(Awaitable[T], Generic[T]):
    """One PDK call with an answer; sent when awaited, or by `Kong.gather`. Await it once."""

    __slots__ = ("call", "decode", "event")

    def __init__(self, event: Event, call: bytes, decode: Callable[[bytes], T]) -> None:
        self.event = event
        self.call = call
        self.decode = decode

    def __await__(self) -> Generator[Any, Any, T]:
        answers = yield from self.event.ask((self,))
        answer: T = answers[0]
        return answer


class Gathered:
    """Several questions in one go."""

    __slots__ = ("event", "questions")

    def __init__(self, event: Event, questions: Sequence[Question[Any]]) -> None:
        self.event = event
        self.questions = questions

    def __await__(self) -> Generator[Any, Any, tuple[Any, ...]]:
        return (yield from self.event.ask(self.questions))


@lru_cache(maxsize=1024)
def named(method: bytes, name: str) -> bytes:
    """The call of a method whose argument is a name."""
    return call(method, messages.encode_text(name))


@lru_cache(maxsize=64)
def bounded(method: bytes, count: int) -> bytes:
    """The call of a method whose argument is a number of items."""
    return call(method, messages.encode_integer(count))


def call(method: bytes, argument: bytes) -> bytes:
    """The two frames of a call; `method` is framed already."""
    return method + frame(argument)

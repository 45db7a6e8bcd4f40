"""Phases that Kong's answer to one question mostly decides.

The question is the same each time, so it goes out without a coroutine, a task or an event to wait in, and a plain
function makes of the answer what is said to Kong. Where it cannot tell, the whole phase runs: it begins with that
answer at hand, and decides everything else. It would say the same as the function, which only says it sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from kong.plugins.runtime.errors import EventOverError
from kong.plugins.runtime.pdk import Kong, Question

T = TypeVar("T")


class AtOnce(Generic[T]):
    """`ask` makes the question. `decide` gets its answer; it returns the statements with which the request goes on
    (`pdk.service.set_headers` makes one), or None for the whole phase, and waits for nothing.

    A plugin has its own in `at_once`, by phase.
    """

    __slots__ = ("_decide", "_decode", "call")

    def __init__(
        self, ask: Callable[[Kong], Question[T]], decide: Callable[[T], Sequence[bytes] | None]
    ) -> None:
        question = ask(Kong(_NoEvent()))
        self.call = question.call
        self._decode = question.decode
        self._decide = decide

    def decided(self, answer: bytes) -> Sequence[bytes] | None:
        """What `decide` makes of Kong's answer. Raises what it raises, and MalformedMessageError."""
        return self._decide(self._decode(answer))


class _NoEvent:
    """What a question is made with that is asked by no phase."""

    def ask(self, questions: Sequence[Question[Any]]) -> Generator[Any, Any, tuple[Any, ...]]:
        raise EventOverError("no event has begun")

    def tell(self, call: bytes) -> None:
        raise EventOverError("no event has begun")

    def exit(self, call: bytes) -> NoReturn:
        raise EventOverError("no event has begun")

    def hand_over(self, call: bytes) -> NoReturn:
        raise EventOverError("no event has begun")

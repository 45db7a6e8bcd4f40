"""How a handler gets the parts that app.py made: by the parameter's name, and taken as they are."""

from typing import Any, TypeAlias, TypeVar

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

T = TypeVar("T")

Injected: TypeAlias = NamedDependency[SkipValidation[T]]
"""A handler's parameter; app.py provides a part of that name."""


class Part(Provide):
    """A part that is the same for all requests, so that nothing is to be found out when one comes."""

    __slots__ = ()

    def __init__(self, part: Any) -> None:
        # Behind a function, as the framework copies what it is given.
        super().__init__(lambda: part, sync_to_thread=False)

    @property
    def part(self) -> Any:
        return self.dependency()


def provided(**parts: Any) -> dict[str, Provide]:
    """The `dependencies` of an app, by the names that handlers ask for."""
    return {name: Part(part) for name, part in parts.items()}

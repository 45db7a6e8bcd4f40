"""How a handler gets the parts that app.py made: by the parameter's name, and taken as they are."""

from typing import Any, TypeAlias, TypeVar

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

T = TypeVar("T")

Injected: TypeAlias = NamedDependency[SkipValidation[T]]
"""A handler's parameter; app.py provides a part of that name."""


def provided(**parts: Any) -> dict[str, Provide]:
    """The `dependencies` of an app, by the names that handlers ask for."""

    def provide(part: Any) -> Provide:
        return Provide(lambda: part, sync_to_thread=False)

    return {name: provide(part) for name, part in parts.items()}

"""How handlers ask for what app.py gives them: by name, and taken as it is."""

from typing import TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

Part: TypeAlias = NamedDependency[SkipValidation[T]]

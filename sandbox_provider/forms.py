"""Form bodies with brackets, as the API takes them: `a[b][0][c]=1` is {"a": {"b": {"0": {"c": "1"}}}}."""

import re
from urllib.parse import parse_qsl

from sandbox_provider.books import Json

_PARTS = re.compile(r"[^\[\]]+")


def read(text: str) -> Json:
    """Raises ValueError where one name is a value and an object, or the text is no form."""
    found: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=500):
        *outer, last = _PARTS.findall(name) or [name]
        inner = found
        for part in outer:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ValueError(name)  # noqa: TRY004  # of the text, not of a type
        inner[last] = value
    return found


def values(found: Json, name: str) -> list[str]:
    """Of `name[]` or `name[0]`."""
    inner = found.get(name, {})
    return [str(value) for value in inner.values()] if isinstance(inner, dict) else [str(inner)]

"""Header fields as they came: in order, with their case, repeated where they repeat.

Names and values are text in ISO 8859-1, one character a byte, so that any bytes survive the way through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Headers:
    """Names compare without regard to case."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = list(fields)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def copy(self) -> Headers:
        return Headers(self._fields)

    def get(self, name: str) -> str | None:
        """The first field of that name."""
        return next(iter(self.get_all(name)), None)

    def get_all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for field, value in self._fields if field.lower() == wanted]

    def joined(self, name: str) -> str | None:
        """All fields of that name as one list (RFC 9110 §5.3)."""
        values = self.get_all(name)
        return ", ".join(values) if values else None

    def add(self, name: str, value: str) -> None:
        self._fields.append((name, value))

    def set(self, name: str, value: str) -> None:
        """Replace every field of that name by one; it takes the first one's place."""
        wanted = name.lower()
        for position, (field, _) in enumerate(self._fields):
            if field.lower() == wanted:
                rest = [other for other in self._fields[position + 1 :] if other[0].lower() != wanted]
                self._fields[position:] = [(name, value), *rest]
                return
        self._fields.append((name, value))

    def remove(self, name: str) -> None:
        wanted = name.lower()
        self._fields = [field for field in self._fields if field[0].lower() != wanted]

    def by_name(self, limit: int) -> tuple[dict[str, str | list[str]], bool]:
        """The first `limit` fields as Kong's PDK gives them, and whether there were more.

        Lower-case names; a list where a field repeats.
        """
        table: dict[str, str | list[str]] = {}
        for name, value in self._fields[:limit]:
            key = name.lower()
            present = table.get(key)
            if present is None:
                table[key] = value
            elif isinstance(present, list):
                present.append(value)
            else:
                table[key] = [present, value]
        return table, len(self._fields) > limit

"""The tree of categories: what lies below what, in which order. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.catalog.domain.products import Category

MAX_DEPTH = 6
"""Levels of categories. A page shows them inside one another, and no shopper goes deeper."""
MAX_POSITION = 10_000


@dataclass(frozen=True, slots=True)
class Node:
    category: Category
    children: tuple["Node", ...]


class Tree:
    """All categories that exist."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self._by_id = {category.id: category for category in categories}
        self._by_slug = {category.slug: category for category in self._by_id.values()}
        self._children: dict[UUID | None, list[Category]] = {}
        for category in sorted(self._by_id.values(), key=lambda each: (each.position, each.slug)):
            self._children.setdefault(category.parent, []).append(category)

    def find(self, slug: str) -> Category | None:
        return self._by_slug.get(slug)

    def get(self, id_: UUID) -> Category | None:
        return self._by_id.get(id_)

    def below(self, id_: UUID) -> list[UUID]:
        """The category's id and those of all below it."""
        found = [id_]
        for known in found:
            found.extend(child.id for child in self._children.get(known, ()))
        return found

    def path(self, id_: UUID) -> list[Category]:
        """From the top to the category itself; empty for one that there is not."""
        found: list[Category] = []
        present = self._by_id.get(id_)
        while present is not None:
            found.append(present)
            present = self._by_id.get(present.parent) if present.parent else None
        return found[::-1]

    def levels(self, id_: UUID) -> int:
        """How many levels the category and what lies below it take: 1 without children, and for one that there is not
        yet."""
        level, count = [id_], 0
        while level:
            level = [child.id for known in level for child in self._children.get(known, ())]
            count += 1
        return count

    def nodes(self, parent: UUID | None = None) -> Sequence[Node]:
        return [Node(child, tuple(self.nodes(child.id))) for child in self._children.get(parent, ())]

"""A span for each statement of a sampled request: its text without values, and how long it took.

Of any other request a statement costs one question more. Values are in no span: statements have them as parameters,
and what stands in the text all the same is taken out.
"""

import re
from collections.abc import Awaitable, Callable
from functools import lru_cache, wraps
from typing import Any, NamedTuple, TypeVar

import asyncpg

from common.telemetry import spans
from common.telemetry.spans import Kind, Span

T = TypeVar("T")

LONGEST = 1000
"""Characters of a statement in a span."""

_NOT_TOLD = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<name>"[^"]*")
    |[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'      # texts
    |\$(\w*)\$.*?\$\3\$
    |(?<![\w$.])\d+(?:\.\d+)?\b
    """,
    re.DOTALL | re.VERBOSE,
)
_TARGET = re.compile(r'\b(?:FROM|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?"?(\w+)', re.IGNORECASE)


class Statement(NamedTuple):
    """What a span says of one."""

    name: str
    operation: str
    text: str


@lru_cache(maxsize=1024)
def described(query: str) -> Statement:
    """`query` without values, on one line; its name is the operation with the first table that it names."""
    text = " ".join(_NOT_TOLD.sub(_told, query).split())
    operation = text.partition(" ")[0].rstrip(";").upper()[:32] or "EMPTY"
    target = _TARGET.search(text)
    return Statement(f"{operation} {target[1]}" if target else operation, operation, text[:LONGEST])


def _told(found: re.Match[str]) -> str:
    if found["name"]:
        return found["name"]
    return " " if found["comment"] else "?"


def _traced(method: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
    @wraps(method)
    async def run(self: asyncpg.Connection, query: str, *args: Any, **options: Any) -> T:
        within = spans.sampled()
        if within is None:
            return await method(self, query, *args, **options)
        with _span(within, query):
            return await method(self, query, *args, **options)

    return run


class TracedConnection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's, for the pool of a process that is traced. A cursor's rows have no spans: nothing here uses one."""

    execute = _traced(asyncpg.Connection.execute)
    executemany = _traced(asyncpg.Connection.executemany)
    fetch = _traced(asyncpg.Connection.fetch)
    fetchrow = _traced(asyncpg.Connection.fetchrow)
    fetchval = _traced(asyncpg.Connection.fetchval)
    fetchmany = _traced(asyncpg.Connection.fetchmany)


def _span(within: Span, query: str) -> Span:
    statement = described(query)
    return within.child(
        statement.name,
        Kind.CLIENT,
        {
            "db.system.name": "postgresql",
            "db.operation.name": statement.operation,
            "db.query.text": statement.text,
        },
    )

"""Asks several sources at once and goes on with what answers: a screen with a gap beats no screen."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec


class SourceFailed(Exception):  # noqa: N818
    """The source has no usable answer: it is down, slow, answers garbage, or has been failing for a while."""


class SourceEmpty(Exception):  # noqa: N818
    """The source works and has nothing for this caller (yet)."""


_NOTHING = (SourceFailed, SourceEmpty)


class CallerRefused(Exception):  # noqa: N818
    """The source does not accept the caller's token: the session has ended since it was issued."""


class Gathered(msgspec.Struct, frozen=True):
    """`found` has None for each source that is named in `missing`."""

    found: dict[str, Any]
    missing: list[str]


async def gather(sources: Mapping[str, Awaitable[Any]]) -> Gathered:
    """Awaits all `sources` at once; each keeps its own deadline. Raises CallerRefused if any of them says so."""
    if len(sources) == 1:
        # A task for it would cost as much as the decisions about its answer.
        outcomes = [await _outcome(*sources.values())]
    else:
        outcomes = await asyncio.gather(*sources.values(), return_exceptions=True)
    found: dict[str, Any] = {}
    for name, outcome in zip(sources, outcomes, strict=True):
        if isinstance(outcome, _NOTHING):
            found[name] = None
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            found[name] = outcome
    return Gathered(found, sorted(name for name, value in found.items() if value is None))


async def _outcome(source: Awaitable[Any]) -> Any:
    """What `source` returns, or why it does not."""
    try:
        return await source
    except _NOTHING as fault:
        return fault

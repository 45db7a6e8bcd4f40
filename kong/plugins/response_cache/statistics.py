"""What a plugin server says of its cache, in lines for a person. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

_SAMPLE = re.compile(r"^(response_cache_\w+)\{([^}]*)\} ([0-9.]+)$", re.MULTILINE)
_OUTCOME = re.compile(r'outcome="(\w+)"')

Figures = dict[str, dict[str, float]]
"""By metric, without its prefix, and outcome ("" where it has none)."""


def figures(exposition: str) -> Figures:
    """Of the text that is at `/metrics`."""
    found: Figures = defaultdict(dict)
    for name, labels, value in _SAMPLE.findall(exposition):
        outcome = _OUTCOME.search(labels)
        found[name.removeprefix("response_cache_")][outcome[1] if outcome else ""] = float(value)
    return dict(found)


def lines(found: Figures) -> Iterator[str]:
    """Raises KeyError where the figures are not this plugin's."""
    yield f"entries    {found['entries']['']:.0f}"
    yield f"bytes      {found['bytes']['']:.0f}"
    yield _shares("requests", found["requests_total"])
    yield _shares("answers", found["stores_total"])
    count, took = found["propagation_seconds_count"][""], found["propagation_seconds_sum"][""]
    mean = f", known after {took / count * 1000:.1f} ms on average" if count else ""
    yield f"moves      {count:.0f} read{mean}"
    following = found["following"][""]
    off = "" if following else ": the cache is off, for Redis says nothing"
    yield f"following  {following:.0f}{off}"
    yield f"behind     {found['behind_seconds']['']:.0f} s"


def last_move(entry: bytes, tags: bytes, now: float) -> str:
    """`entry` is the stream's newest id; `now` in seconds since 1970."""
    moved = int(entry.partition(b"-")[0]) / 1000
    when = datetime.fromtimestamp(moved, UTC).isoformat(timespec="milliseconds")
    return (
        f"last move  {when}, {max(0.0, now - moved):.1f} s ago: {tags.decode('utf-8', 'replace') or 'none'}"
    )


def _shares(word: str, by_outcome: dict[str, float]) -> str:
    total = sum(by_outcome.values())
    parts = [
        f"{outcome} {count:.0f}" + (f" ({count / total:.1%})" if count else "")
        for outcome, count in by_outcome.items()
    ]
    return f"{word:<10} {', '.join(parts)}"

"""What a person sees: progress while the stack starts, and the table of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def title(part: Mapping[str, Any]) -> str:
    """The part's name, and what should be known about it."""
    return f"{part['name']} ({part['note']})" if part["note"] else str(part["name"])


def progress(part: Mapping[str, Any]) -> str:
    """One line for a part that changed its state."""
    line = f"  {title(part):<16} {part['state']}"
    if part["state"] == "ready":
        line += f"  {part['seconds']:.1f} s"
    return line


def table(parts: Iterable[Mapping[str, Any]]) -> str:
    """Every part with its state, process, restarts and addresses."""
    rows = [("PART", "STATE", "PID", "RESTARTS", "UPTIME", "URL", "METRICS")]
    rows += [
        (
            title(part),
            str(part["state"]),
            str(part["pid"] or "-"),
            str(part["restarts"]),
            _duration(part["seconds"]) if part["pid"] else "-",
            str(part["url"] or ""),
            str(part.get("metrics") or ""),  # of a supervisor before that, none
        )
        for part in parts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def addresses(parts: Iterable[Mapping[str, Any]], admin: str) -> str:
    """Where to go now that the stack is up."""
    rows = [(title(part), str(part["url"])) for part in parts if part["url"]]
    rows.append(("Admin API", admin))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {url}" for name, url in rows)


def next_steps(frontend: str, *, demo: bool) -> str:
    """What to do with a stack that is up."""
    account = " as test@example.com, password123 (role admin)" if demo else ""
    return (
        f"  Sign in at {frontend}{account}; README.md has journeys for curl.\n"
        "  make status, make logs NAME=auth, make restart NAME=kong, make down"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"

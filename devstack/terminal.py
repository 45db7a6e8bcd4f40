"""What a person sees: progress while the stack starts, and the table of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def progress(part: Mapping[str, Any]) -> str:
    """One line for a part that changed its state."""
    line = f"  {part['name']:<16} {part['state']}"
    if part["state"] == "ready":
        line += f"  {part['seconds']:.1f} s"
    return line


def table(parts: Iterable[Mapping[str, Any]]) -> str:
    """Every part with its state, process, restarts and address."""
    rows = [("PART", "STATE", "PID", "RESTARTS", "UPTIME", "URL")]
    rows += [
        (
            str(part["name"]),
            str(part["state"]),
            str(part["pid"] or "-"),
            str(part["restarts"]),
            _duration(part["seconds"]) if part["pid"] else "-",
            str(part["url"] or ""),
        )
        for part in parts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def addresses(parts: Iterable[Mapping[str, Any]], admin: str) -> str:
    """Where to go now that the stack is up."""
    rows = [(str(part["name"]), str(part["url"])) for part in parts if part["url"]]
    rows.append(("kong, Admin API", admin))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {url}" for name, url in rows)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m"
    return f"{minutes}m {rest}s" if minutes else f"{rest}s"

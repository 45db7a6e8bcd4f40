"""The bounds that one worker keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    frame: int = 16 * 1024 * 1024
    """Bytes of one frame from Kong: a body above all. A larger answer is `AnswerTooLargeError` to the phase."""
    connections: int = 1024
    """Open connections; the one that has idled longest makes room. More than `events`, so that one is always idle."""
    events: int = 512
    """Events at once; one more is answered 503 at once."""
    deadline: float = 2.0
    """Seconds that a phase may take, where the plugin does not say otherwise. Below Kong's read timeout."""
    stall: float = 5.0
    """Seconds that a frame may take to arrive whole, outside of an event."""
    drain: float = 5.0
    """Seconds that SIGTERM waits for running events."""

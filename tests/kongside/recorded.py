"""The events that a real Kong 3.9.3 and a plugin server exchanged (tests/fixtures/kong-wire)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kong.plugins.runtime.messages import BodyInFile

FIXTURE = Path(__file__).parents[1] / "fixtures" / "kong-wire" / "events.jsonl"


@dataclass(frozen=True)
class Frame:
    """What one side sent: `kind` is call, pdk call, pdk result, return or end of event."""

    kind: str
    method: str
    payloads: tuple[bytes, ...]
    result: Any


@dataclass(frozen=True)
class Event:
    """`name` is scenario/phase."""

    name: str
    frames: tuple[Frame, ...]

    @property
    def phase(self) -> str:
        return self.name.partition("/")[2]


def recorded_events() -> list[Event]:
    lines = map(json.loads, FIXTURE.read_text().splitlines())
    return [Event(line["event"], tuple(map(_frame, line["frames"]))) for line in lines]


def _frame(raw: dict[str, Any]) -> Frame:
    payloads = tuple(bytes.fromhex(text) for text in raw["hex"])
    return Frame(raw["kind"], raw.get("method", ""), payloads, _result(raw.get("result")))


def _result(recorded: Any) -> Any:
    """As a plugin sees it."""
    match recorded:
        case {"v": value}:
            return value
        case {"content": content}:
            return base64.b64decode(content)
        case {"body_filepath": path}:
            return BodyInFile(path)
        case _:
            return recorded

"""Makes the PDK calls of a recorded event, and fails where an answer is not what the record says."""

import base64
import dataclasses
from typing import Any, cast

from devstack.kongside.methods import METHODS, exit_arguments
from kong.plugins.runtime import messages
from kong.plugins.runtime.frames import frame
from kong.plugins.runtime.pdk import Kong, Question
from tests.kongside.recorded import Frame, recorded_events

Schema = [{"event": {"type": "integer"}}]
version = "0.1.0"
priority = 1


class Plugin:
    def __init__(self, config: dict[str, Any]) -> None:
        self.frames = recorded_events()[config["event"]].frames

    async def access(self, kong: Kong) -> None:
        for call, answer in zip(self.frames, [*self.frames[1:], None], strict=True):
            if call.kind == "pdk call":
                found = await self.call(kong, call)
                if found is not None and answer is not None:
                    check(call.method, found, answer.result)

    response = access

    async def call(self, kong: Kong, call: Frame) -> Any:
        if call.method == "kong.response.exit":
            status, body, headers = exit_arguments(call.payloads[1])
            kong.response.exit(status, body, cast("dict[str, str]", headers))
        target: Any = kong
        for name in call.method.split(".")[1:]:
            target = getattr(target, name, None)
        if target is None:  # what the facade leaves out for good reason
            await Question(
                kong._event, frame(call.method.encode()) + frame(call.payloads[1]), messages.struct
            )
            return None
        arguments = METHODS[call.method][0](call.payloads[1]) if call.method in METHODS else ()
        made = target(*arguments)
        return await made if isinstance(made, Question) else None


def check(method: str, found: Any, recorded: Any) -> None:
    if dataclasses.is_dataclass(found) and isinstance(recorded, dict):
        same = {
            name: list(v) if isinstance(v, tuple) else v
            for name, v in vars_of(found).items()
            if name in recorded
        }
        recorded = {name: value for name, value in recorded.items() if name in same}
        found = same
    if isinstance(found, bytes) and isinstance(recorded, str):
        recorded = base64.b64decode(recorded)
    if found != recorded:
        raise AssertionError(f"{method}: {found!r}, recorded was {recorded!r}")


def vars_of(entity: Any) -> dict[str, Any]:
    return {field.name: getattr(entity, field.name) for field in dataclasses.fields(entity)}

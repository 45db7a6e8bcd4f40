"""`trial`, which decides at once where its phase asks nothing more."""

from collections.abc import Sequence
from typing import Any

from kong.plugins.runtime import messages
from kong.plugins.runtime.at_once import AtOnce
from kong.plugins.runtime.frames import frame
from kong.plugins.runtime.pdk.calls import call
from tests.protocol.trial_plugins.trial import plugin as trial

Schema = trial.Schema
version = trial.version
priority = trial.priority


class Plugin(trial.Plugin):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        greeting = messages.encode_pair("x-greeting", config.get("greeting") or "")
        self.said = (call(frame(b"kong.service.request.set_header"), greeting),)
        self.at_once = {"access": AtOnce(lambda kong: kong.request.get_header("x-do"), self.decide)}

    def decide(self, do: str | None) -> Sequence[bytes] | None:
        if not self.alive:
            raise RuntimeError("an event outside of the lifespan")
        if do == "raise" or self.config.get("greeting") == "raise at once":
            raise RuntimeError("broken on purpose")
        return None if do else self.said

"""The same plugin on kong-pdk's own server, threads: `python -m bench.served.stock -p DIRECTORY`."""

import warnings
from typing import Any

warnings.simplefilter("ignore")

from kong_pdk.cli import start_dedicated_server  # noqa: E402


class Plugin:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config

    def access(self, kong: Any) -> None:
        token = kong.request.get_header("authorization")
        kong.service.request.set_header("x-token-length", str(len(token or "")))


if __name__ == "__main__":
    start_dedicated_server("light", Plugin, "0.1.0", 1000, [{"unused": {"type": "string"}}])

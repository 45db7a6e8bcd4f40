"""Does nothing: what an event costs by itself, for measuring."""

from kong.plugins.runtime.pdk import Kong

Schema = [{"unused": {"type": "string"}}]
version = "0.1.0"
priority = 1000


class Plugin:
    def __init__(self, config: dict[str, object]) -> None:
        self.config = config

    async def access(self, kong: Kong) -> None:
        """Lets the request pass."""

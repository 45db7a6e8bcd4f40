"""Reads one header and sets one: the least that a security plugin does, for measuring."""

from kong.plugins.runtime.pdk import Kong

Schema = [{"unused": {"type": "string"}}]
version = "0.1.0"
priority = 1000


class Plugin:
    def __init__(self, config: dict[str, object]) -> None:
        self.config = config

    async def access(self, kong: Kong) -> None:
        token = await kong.request.get_header("authorization")
        kong.service.request.set_header("x-token-length", str(len(token or "")))

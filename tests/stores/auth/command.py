"""auth's command line."""

import asyncio
import os
import sys
from typing import Any

from services.auth.settings import Settings


async def command(settings: Settings, *arguments: str) -> tuple[int | None, str]:
    """Runs auth's command line as an operator does; its exit status and what it said."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.auth",
        *arguments,
        env=os.environ | variables(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    return child.returncode, said.decode()


def variables(settings: Settings) -> dict[str, str]:
    names: dict[str, Any] = {name: getattr(settings, name) for name in settings.__struct_fields__}
    return {
        {"port": "AUTH_PORT", "database_url": "AUTH_DATABASE_URL"}.get(name, name.upper()): str(value)
        for name, value in names.items()
        if value != ""
    }

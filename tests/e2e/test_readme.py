"""What README.md tells a newcomer to type does what it says there."""

import asyncio
from fnmatch import fnmatchcase
from typing import Protocol

import pytest

from tests.e2e.readme import ROOT, expected, journey


class Addresses(Protocol):
    auth_url: str
    gateway_url: str


@pytest.mark.stack
async def test_the_journeys_of_the_readme_print_what_it_says(stack: Addresses) -> None:
    script = journey((ROOT / "README.md").read_text(encoding="utf-8"))
    for documented, real in (("localhost:4000", stack.auth_url), ("localhost:8000", stack.gateway_url)):
        script = script.replace(documented, real)

    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await shell.communicate()

    assert shell.returncode == 0, errors.decode()
    printed = [line.strip() for line in output.decode().splitlines()]
    wanted = expected(script)
    assert len(printed) == len(wanted), printed
    assert [
        line for line, pattern in zip(printed, wanted, strict=True) if not fnmatchcase(line, pattern)
    ] == []

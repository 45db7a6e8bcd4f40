"""README.md's journeys as they stand there: shell blocks, and after `#=>` the lines that they print."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## Try it$(.*?)^## ", re.MULTILINE | re.DOTALL)


def journey(document: str) -> str:
    """The blocks of "Try it" in their order, as one script: each builds on the ones before."""
    section = SECTION.search(document)
    if section is None:
        raise ValueError("the document has no section 'Try it'")
    return "\n".join(BLOCK.findall(section[1]))


def expected(script: str) -> list[str]:
    return [line.removeprefix("#=>").strip() for line in script.splitlines() if line.startswith("#=>")]

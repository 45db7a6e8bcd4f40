"""Blocks of a file that are generated, between two lines of comment; the rest is written by hand and stays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

OPENING = "# >>> {name}, from gatehouse.toml by `make generate`: edits are lost"
_BLOCK = re.compile(
    r"^(?P<indent> *)# >>> (?P<name>[\w -]+), from .*?\n(?:.*\n)*?(?P=indent)# <<<\n", re.MULTILINE
)

Blocks = Mapping[str, Sequence[str]]
"""The lines of each block by its name, as far to the left as they may stand."""


class BlockError(Exception):
    """A file has not the blocks that it should have."""


def filled(text: str, blocks: Blocks) -> str:
    """`text` with these contents in its blocks. Raises BlockError where one is missing on either side."""
    found: list[str] = []

    def content(match: re.Match[str]) -> str:
        name, indent = match["name"], match["indent"]
        found.append(name)
        lines = [OPENING.format(name=name), *blocks.get(name, ()), "# <<<"]
        return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)

    result = _BLOCK.sub(content, text)
    if sorted(found) != sorted(blocks):
        wrong = sorted(set(found) ^ set(blocks)) or sorted({name for name in found if found.count(name) > 1})
        raise BlockError(f"the blocks {', '.join(wrong)} are not there once each")
    return result

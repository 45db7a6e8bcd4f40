"""The documents that a problem's `type` points at (RFC 9457 §3.1.1), read once: docs/problems/*.md under their names.

`type` is a relative reference, so that it resolves at whichever hop the client has asked; each hop serves them.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "problems"
MARKDOWN = "text/markdown; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


@cache
def documents() -> Mapping[str, bytes]:
    """Each problem's document by its name, as `/problems/NAME` has it."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.md"))}


def headers(accept: str) -> dict[str, str]:
    """Of an answer with a document: Markdown to who asks for it by name, else text, which every browser shows."""
    media_type = MARKDOWN if "text/markdown" in accept.lower() else PLAIN
    return {
        "Content-Type": media_type,
        "Cache-Control": "public, max-age=3600",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }

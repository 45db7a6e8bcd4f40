"""Patterns of values end where the value ends. To Python `$` also stands before a last line feed: `"ko\\n"` would pass
for `^(ko|en)$`, and the next service refuses it."""

import ast
import re
from collections.abc import Iterator

from tests.unit.project.compose_files import ROOT

PARTS = ("common", "frontend_proxy", "kong/plugins", "sandbox_provider", "services")


def patterns() -> Iterator[tuple[str, str]]:
    """Where each `pattern=` of the sources stands, and what it is."""
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "pattern":
                    assert isinstance(node.value, ast.Constant), f"{path}:{node.value.lineno} is no literal"
                    yield f"{path}:{node.value.lineno}", str(node.value.value)


def test_no_pattern_takes_a_line_feed_after_its_end() -> None:
    found = list(patterns())
    assert len(found) > 20
    # In a document for clients `\Z` is no end (ECMA-262): there it is `$(?!\n)`. `[^\x00]` takes line feeds anywhere.
    loose = [
        place for place, pattern in found if pattern.endswith("$") and not pattern.endswith("[^\\x00]+$")
    ]
    assert loose == []


def test_the_end_that_documents_may_show_is_one() -> None:
    end = re.compile(r"^[A-Z]{3}$(?!\n)")
    assert end.search("KRW") and not end.search("KRW\n") and not end.search("KRW\nX")

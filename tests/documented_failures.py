"""Reads docs/failure-modes.md, so that its tests and it say the same."""

from pathlib import Path

_PAGE = Path(__file__).parents[1] / "docs" / "failure-modes.md"


def rows(section: str) -> list[tuple[str, str, str, str]]:
    """The table of one section: what fails, the call, the answer, and the last column, without backticks."""
    text = _PAGE.read_text(encoding="utf-8").split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return [(fails, call, answer, last) for fails, call, answer, last in cells]

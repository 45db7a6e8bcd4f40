"""`python -m devstack.generate` writes what follows from gatehouse.toml; `--check` names what is out of step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from devstack import configuration_page
from devstack.declaration import ROOT, DeclarationError, declaration
from devstack.generate import chart, compose, others
from devstack.generate.blocks import BlockError, filled
from devstack.observability import files as observability

PAGE = "docs/configuration.md"


def files() -> Iterator[tuple[str, str]]:
    """Each file with the text that it should have. Raises BlockError, DeclarationError."""
    found = declaration()
    for name, blocks in {**compose.blocks(found), **others.blocks(found), **chart.blocks(found)}.items():
        try:
            yield name, filled((ROOT / name).read_text(encoding="utf-8"), blocks)
        except BlockError as fault:
            raise BlockError(f"{name}: {fault}") from fault
    yield from chart.files(found)
    yield from observability.files(found)
    yield PAGE, configuration_page.page()


def main(*, check: bool) -> int:
    try:
        outdated = [(Path(ROOT, name), text) for name, text in files() if _differs(ROOT / name, text)]
    except (BlockError, DeclarationError) as fault:
        print(fault, file=sys.stderr)
        return 1
    for file, text in outdated:
        if check:
            print(
                f"{file.relative_to(ROOT)} is out of step with gatehouse.toml: run make generate",
                file=sys.stderr,
            )
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"written {file.relative_to(ROOT)}")
    return 1 if check and outdated else 0


def _differs(file: Path, text: str) -> bool:
    return not file.exists() or file.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))

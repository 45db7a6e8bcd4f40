"""Every path, command and link that the documents name exists, and the two READMEs say the same."""

import re
from pathlib import Path

import pytest

from devstack import service_settings
from devstack.declaration import declaration
from tests.unit.project.compose_files import ROOT

DOCUMENTS = sorted(
    path.relative_to(ROOT) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if path.is_file()
)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
TOP_LEVEL = (
    *("kong", "services", "frontend_proxy", "devstack", "tests", "bench", "deploy", "docs", "requirements"),
    *(".ci", "secrets", "backups"),
)
EXAMPLES = ("/wishlist", "/plugins/greeting")
"""The service of docs/adding-a-service.md and the plugin of docs/writing-a-plugin.md: tests make them."""
MADE_LATER = ("secrets", "backups")
"""Directories that a command makes, not in the repository."""


@pytest.fixture(params=DOCUMENTS, ids=str)
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return ROOT / path


def code(text: str) -> list[str]:
    """What stands in back ticks or in fenced blocks: where paths and commands are named."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [
        *fenced,
        *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)),
    ]


def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    broken = [
        link for link in links if not re.match(r"[a-z]+:", link) and not (document.parent / link).exists()
    ]
    assert broken == []


def test_every_make_target_exists(document: Path) -> None:
    named = {
        target
        for snippet in code(document.read_text(encoding="utf-8"))
        for target in re.findall(r"(?:^|[\s(;&|])make ([a-z][a-z-]*)", snippet)
        + re.findall(r"^make ([a-z][a-z-]*)", snippet)
    }
    assert named - TARGETS == set()


def test_every_path_exists(document: Path) -> None:
    named = {
        path.rstrip("/.,:")
        for snippet in code(document.read_text(encoding="utf-8"))
        for path in re.findall(
            rf"(?<![\w/.:~-])((?:{'|'.join(map(re.escape, TOP_LEVEL))})/[\w./-]*)", snippet
        )
    }
    missing = [
        path
        for path in sorted(named)
        if not path.startswith(MADE_LATER)
        and not (ROOT / path).exists()
        and not any(example in path for example in EXAMPLES)
    ]
    assert missing == []


def test_every_decision_is_in_the_index_under_its_title() -> None:
    directory = ROOT / "docs" / "decisions"
    titles = [
        (record.name, record.read_text(encoding="utf-8").partition("\n")[0])
        for record in sorted(directory.glob("0*.md"))
    ]
    listed = re.findall(
        r"^- \[(\d+)\]\(([^)]+)\) (.+)$", (directory / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert sorted((file, f"# {number}. {title}") for number, file, title in listed) == titles


def test_every_log_line_that_is_looked_for_is_written() -> None:
    """`… logs payment | grep 'was not delivered'`: some part says so."""
    wanted = {
        text
        for path in DOCUMENTS
        for text in re.findall(r"grep '([a-z ]+)'", (ROOT / path).read_text("utf-8"))
    }
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("common", "frontend_proxy", "kong", "services")
        for path in (ROOT / package).rglob("*.py")
    )
    assert [text for text in sorted(wanted) if text not in code] == []


def test_a_new_internal_key_reaches_everybody_who_has_it() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| `internal_api_key` |"))
    recreated = row.partition("--force-recreate ")[2].partition("`")[0].split()
    processes = declaration().processes.values()
    assert recreated == [p.name for p in processes if "INTERNAL_API_KEY" in service_settings.names_of(p)]


def test_every_documented_command_of_make_help_is_a_target() -> None:
    described = set(re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE))
    assert {"up", "down", "test", "check", "help", "backup", "restore"} <= described
    phony = set(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE))
    assert described <= phony


def test_both_readmes_have_the_same_sections_commands_and_tables() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))

    def shape(text: str) -> dict[str, object]:
        return {
            "blocks": re.findall(r"^```\w*\n.*?^```", text, re.MULTILINE | re.DOTALL),
            "levels": re.findall(r"^(#+) ", text, re.MULTILINE),
            "links": sorted(
                link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("README")
            ),
            "paragraphs and items": len(re.findall(r"(?:^|\n\n)(?=\S)", text))
            + len(re.findall(r"^- ", text, re.M)),
            "first cells, titles aside": re.findall(r"^\| ([^|]+?) \|.*$(?!\n\| ---)", text, re.MULTILINE),
            "code": sorted(set(re.findall(r"`([^`\n]+)`", text))),
        }

    ours, theirs = shape(english), shape(korean)
    for part, content in ours.items():
        assert theirs[part] == content, part

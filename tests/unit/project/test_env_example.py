""".env.example names and explains every variable that a person may set, and changes nothing when copied."""

import re

from tests.unit.project.compose_files import COMPOSE_FILES, ROOT
from tests.unit.project.compose_files import interpolated as plain

ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
ASSIGNMENT = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$")
INTERPOLATION = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-((?:\$\{[^{}]*\}|[^{}])*))?")


def documented() -> dict[str, str]:
    matches = [ASSIGNMENT.match(line) for line in ENV_EXAMPLE.splitlines()]
    return {match[1]: match[2] for match in matches if match}


def interpolated() -> dict[str, set[str]]:
    """The variables that the compose files read, with the defaults that they give."""
    found: dict[str, set[str]] = {}
    for name in (*COMPOSE_FILES, "compose.small.yaml", "deploy/compose.base.yaml"):
        for match in INTERPOLATION.finditer((ROOT / name).read_text(encoding="utf-8")):
            defaults = found.setdefault(match[1], set())
            if match[2] is not None:
                defaults.add(plain(match[2]))
    return found


def test_every_variable_of_the_compose_files_is_explained() -> None:
    assert set(interpolated()) - set(documented()) == set()


def test_every_variable_is_read() -> None:
    """By a setting of a process (docs/configuration.md is generated of them), a compose file or a script."""
    files = [*ROOT.glob("compose*.yaml"), ROOT / "docs" / "configuration.md"]
    for directory in ("deploy", "devstack", "kong"):
        files += [path for path in (ROOT / directory).rglob("*") if path.suffix in {".py", ".sh", ".yaml"}]
    read = set(re.findall(r"[A-Z][A-Z0-9_]*", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    assert set(documented()) - read == set()


def test_the_values_shown_are_the_defaults() -> None:
    for variable, defaults in interpolated().items():
        for default in defaults:
            # A port may have a range after it, for replicas.
            assert documented()[variable] == re.sub(r"^(\d+)-\d+$", r"\1", default), variable


def test_copied_as_it_is_it_changes_nothing() -> None:
    assert [line for line in ENV_EXAMPLE.splitlines() if line.strip() and not line.startswith("#")] == []


def test_each_variable_has_a_line_that_explains_it() -> None:
    above = ""
    for line in ENV_EXAMPLE.splitlines():
        if ASSIGNMENT.match(line):
            assert above.startswith("# ") or ASSIGNMENT.match(above), line
        above = line

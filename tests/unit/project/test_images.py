"""What the Dockerfiles promise: locked, unprivileged, nothing more than what the image runs."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.unit.project.compose_files import ROOT

DOCKERFILES = sorted((ROOT / "deploy").glob("*.Dockerfile"))


@pytest.fixture(params=DOCKERFILES, ids=lambda file: file.stem)
def dockerfile(request: pytest.FixtureRequest) -> str:
    file: Path = request.param
    return file.read_text(encoding="utf-8")


def test_installs_only_what_is_locked_with_hashes(dockerfile: str) -> None:
    installs = [line for line in dockerfile.splitlines() if " install " in line and "pip" in line]
    assert installs
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in installs)
    assert all("--no-deps" in line for line in installs), "the lock names all: pip has nothing to resolve"


def test_ends_as_an_unprivileged_user(dockerfile: str) -> None:
    users = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)
    assert users[-1] == "10001:10001"


def test_carries_no_build_stage_into_the_image(dockerfile: str) -> None:
    final = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert "COPY --from=environment /opt/venv /opt/venv" in final
    assert "pip install" not in final
    assert "apt-get" not in final


def test_has_a_health_check_that_needs_no_other_tool(dockerfile: str) -> None:
    assert "HEALTHCHECK" in dockerfile
    assert "healthcheck.py" in dockerfile
    assert "curl" not in dockerfile
    assert "wget" not in dockerfile


def test_code_is_copied_after_the_environment(dockerfile: str) -> None:
    # A change in the code then rebuilds one small layer.
    final = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert final.index("COPY --from=environment") < final.index("RUN python -m compileall")


def test_all_that_is_copied_is_let_in_by_dockerignore(dockerfile: str) -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    for source in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists(), source
        assert any(
            fnmatch(source, rule) or source.startswith(f"{rule}/") or rule.startswith(f"{source}/")
            for rule in allowed
        ), source

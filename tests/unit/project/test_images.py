"""What the Dockerfiles promise: locked, unprivileged, nothing more than what the image runs."""

import re
from fnmatch import fnmatch

import pytest

from devstack.declaration import declaration
from tests.unit.project.compose_files import ROOT, load

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
STAGES = {
    stage.split(maxsplit=3)[2]: stage for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
}
IMAGES = ("service", "plugins", "proxy", "stand-in")


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> str:
    """The last stage of an image of ours."""
    return STAGES[request.param]


def test_installs_only_what_is_locked_with_hashes() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if " install " in line and "pip" in line]
    assert installs
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in installs)
    assert all("--no-deps" in line for line in installs), "the lock names all: pip has nothing to resolve"


def test_ends_as_an_unprivileged_user(image: str) -> None:
    assert re.findall(r"^USER (.+)$", image, re.MULTILINE) == ["10001:10001"]


def test_carries_no_build_stage_into_an_image(image: str) -> None:
    assert image.startswith("runtime AS ")
    assert "COPY --from=environment /opt/venv /opt/venv" in STAGES["runtime"]
    assert not [word for word in ("pip install", "apt-get") if word in STAGES["runtime"] + image]


def test_no_image_has_pip_or_a_file_that_lends_its_owners_rights() -> None:
    # What containers show of it: tests/e2e/test_containers.py.
    assert "pip uninstall" in STAGES["runtime"]
    assert "-perm /6000 -exec chmod a-s" in STAGES["runtime"]


def test_has_a_health_check_that_needs_no_other_tool(image: str) -> None:
    assert "HEALTHCHECK" in image
    assert "healthcheck.py" in image
    assert "curl" not in image
    assert "wget" not in image


def test_code_is_copied_after_the_environment() -> None:
    # A change in the code then rebuilds one small layer.
    assert STAGES["runtime"].index("COPY --from=environment") < STAGES["runtime"].index("COPY common")


def test_a_service_has_an_image_of_its_own_with_its_own_code_alone() -> None:
    # Building member then leaves the images of auth and bff, and so their containers, as they are.
    copied = re.findall(r"^COPY (services\S*) ", STAGES["service"], re.MULTILINE)
    assert copied == ["services/__init__.py", "services/chassis", "services/${SERVICE}"]
    services = load("deploy/compose.base.yaml")["services"]
    built = [service["image"] for service in services.values() if "build" in service]
    assert len(built) == len(set(built)) == len(declaration().processes)


def test_what_is_built_here_is_pulled_from_nobody_and_what_is_published_from_where_it_was_said() -> None:
    for name in ("deploy/compose.base.yaml", "deploy/compose.stand-in.yaml"):
        for service in load(name)["services"].values():
            if "build" in service:
                assert re.fullmatch(
                    r"\$\{REGISTRY:-localhost\}/gatehouse-[a-z-]+:\$\{GATEHOUSE_TAG:-dev\}", service["image"]
                )


def test_all_that_is_copied_is_let_in_by_dockerignore() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE):
        if "$" in source:
            continue  # one of several: requirements/*.txt, services/*
        assert (ROOT / source).exists(), source
        assert any(
            fnmatch(source, rule) or source.startswith(f"{rule}/") or rule.startswith(f"{source}/")
            for rule in allowed
        ), source

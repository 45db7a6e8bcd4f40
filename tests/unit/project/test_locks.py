"""What the locks promise: the same packages tomorrow, whichever pip installs them."""

import re
import subprocess
import sys
import tomllib

import pytest

from tests.unit.project.compose_files import ROOT

EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["optional-dependencies"]


def pins(extra: str) -> set[str]:
    """Each `name==version` of a lock."""
    text = (ROOT / "requirements" / f"{extra}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^[A-Za-z0-9._-]+==[^ ;]+", text, re.MULTILINE))


@pytest.mark.parametrize("extra", sorted(EXTRAS))
def test_a_lock_follows_those_that_it_builds_on(extra: str) -> None:
    # An image of its own lock would start without a package that all services have got.
    for requirement in EXTRAS[extra]:
        if included := re.fullmatch(r"gatehouse\[(.+)\]", requirement):
            for part in included[1].split(","):
                assert pins(part) - pins(extra) == set(), f"{extra} is behind {part}: make lock"


def test_pip_installs_the_locks_without_resolving_anything() -> None:
    # pip 23 looks for the newest release of a package that is asked for with an extra, whatever the lock says, and then
    # misses its hash: a fresh clone broke on the day that pydantic had a release.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = re.findall(r"\$\(PIP\) install .*-r requirements/.*", makefile)
    assert len(installs) == 2
    assert all("--no-deps" in line and "--require-hashes" in line for line in installs)


def test_the_lock_leaves_no_requirement_out() -> None:
    # Without a resolver nobody else would notice.
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.returncode == 0, checked.stdout


ENTRIES = {
    "service": ["services.auth.app", "services.member.app", "services.order.app", "services.bff.app"],
    "catalog": ["services.catalog.app", "services.catalog.adapters.picture_worker"],
    "payment": ["services.payment.app"],
    "plugins": [
        "kong.plugins.__main__",
        "kong.plugins.token_validator.plugin",
        "kong.plugins.idempotency.plugin",
    ],
    "proxy": ["frontend_proxy.app", "frontend_proxy.server"],
    "sandbox": ["sandbox_provider.app"],
    "stand-in": ["devstack.gateway.app"],
}


IMAGE = """
import importlib, importlib.metadata, re, sys
from importlib.machinery import PathFinder
locked = set(sys.argv[1].split(","))
hidden = {
    top for top, names in importlib.metadata.packages_distributions().items()
    if not {re.sub("[-_.]+", "-", name).lower() for name in names} & locked
}
class Image(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else super().find_spec(name, path, target)
sys.meta_path[:] = [Image if finder is PathFinder else finder for finder in sys.meta_path]
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize("extra", sorted(ENTRIES))
def test_an_image_has_what_its_process_imports(extra: str) -> None:
    # Here everything is installed; in an image one lock is.
    locked = {re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins(extra)} | {"gatehouse"}
    imported = subprocess.run(
        [sys.executable, "-c", IMAGE, ",".join(locked), *ENTRIES[extra]],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert imported.returncode == 0, imported.stderr

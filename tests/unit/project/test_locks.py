"""What the locks promise: the same packages tomorrow, whichever pip installs them."""

import re
import subprocess
import sys

from tests.unit.project.compose_files import ROOT


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

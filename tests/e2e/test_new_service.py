"""docs/adding-a-service.md in a copy of this checkout: a new service is checked, served, saved and restored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from devstack import unprivileged
from devstack.declaration import declaration
from devstack.settings import read as read_settings
from devstack.throwaway import free_ports, temporary_directory
from tests.checkout import copy_to
from tests.e2e.local_stack import directory_log

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

ACCOUNT = {"email": "test@example.com", "password": "password123"}


@pytest.fixture
def copy(request: pytest.FixtureRequest) -> Iterator[Path]:
    if request.config.getoption("--stack") == "docker":
        pytest.skip("about this checkout under make up: --stack=docker leaves it out")
    with temporary_directory() as directory:
        checkout = directory / "checkout"
        copy_to(checkout)
        yield checkout


def python(checkout: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    """A module's output, run in the copy."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env={**outside, **(env or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert finished.returncode == 0, f"{arguments}\n{finished.stdout}{finished.stderr}"
    return finished.stdout


def contents(checkout: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(checkout)): file.read_bytes()
        for file in checkout.rglob("*")
        if file.is_file() and not {"__pycache__", ".ruff_cache"} & set(file.parts)
    }


def added(checkout: Path, *options: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """What `make new-service` does: files of code, package markers, entries in two files, generated files."""
    before = contents(checkout)
    python(checkout, "devstack.scaffold", "wishlist", *options)
    for arguments in (("format", "--quiet"), ("check", "--quiet", "--fix")):
        python(checkout, "ruff", *arguments, "services/wishlist", "tests")
    after = contents(checkout)
    new = sorted(set(after) - set(before))
    edited = sorted(name for name in before if after[name] != before[name])
    by_hand = [name for name in edited if name in {"gatehouse.toml", "kong.yml.template"}]
    return (
        [name for name in new if not name.endswith("__init__.py")],
        [name for name in new if name.endswith("__init__.py")],
        by_hand,
        [name for name in edited if name not in by_hand],
    )


def check(checkout: Path, *, types: bool) -> None:
    """The parts of `make check` that a new service can fail; types take most of the time."""
    tests = [str(path.parent.relative_to(checkout)) for path in checkout.glob("tests/*/wishlist/*.py")]
    python(checkout, "ruff", "format", "--check", ".")
    python(checkout, "ruff", "check", ".")
    if types:
        python(checkout, "mypy", "--cache-dir", os.devnull, "services/wishlist", *tests)
    python(checkout, "devstack.generate", "--check")
    python(checkout, "devstack", "check")
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    finished = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=checkout, capture_output=True, check=False
    )
    assert finished.returncode == 0, finished.stdout.decode()
    python(checkout, "pytest", "-q", "-p", "no:cacheprovider", *tests)
    python(
        checkout,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/unit/project/test_compose.py",
        "tests/unit/project/test_env_example.py",
        "tests/chart/test_network_policies.py",
        "tests/chart/test_rendering.py::test_each_deployed_process_has_its_place_and_nothing_else_is_there",
    )


@contextmanager
def up(checkout: Path, state: Path) -> Iterator[tuple[dict[str, str], str]]:
    """The copy's stack: its environment, and the gateway's address."""
    names = read_settings({}).ports
    ports = dict(zip([*names, "WISHLIST_PORT"], map(str, free_ports(len(names) + 1)), strict=True))
    environment = {**ports, "DEVSTACK_DIR": str(state), "DEVSTACK_GATEWAY": "stand-in", "DEMO_DATA": "true"}
    try:
        try:
            python(checkout, "devstack", "up", "--detach", env=environment)
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{directory_log(state)}") from fault
        yield environment, f"http://127.0.0.1:{ports['GATEWAY_PORT']}"
    finally:
        python(checkout, "devstack", "down", env=environment)


def signed_in(client: httpx.Client) -> dict[str, str]:
    answer = client.post("/api/auth/login", json=ACCOUNT)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_a_service_with_a_database_takes_one_command_and_is_in_every_backup(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, markers, entries, generated = added(copy, "--database")
    with capsys.disabled():
        print(f"\nnew-service DB=1: {len(code)} files of code: {', '.join(code)}")
        print(f"{len(markers)} package markers; {len(entries)} entries: {', '.join(entries)}")
        print(f"{len(generated)} generated: {', '.join(generated)}")
    assert len(code) == 7
    assert entries == ["gatehouse.toml", "kong.yml.template"]
    check(copy, types=True)

    with temporary_directory() as state:
        saved = state / "saved"
        try:
            with (
                up(copy, state) as (environment, gateway),
                httpx.Client(base_url=gateway, timeout=30) as client,
            ):
                caller = signed_in(client)
                assert client.get("/api/wishlist").status_code == 401
                keyed = {**caller, "Idempotency-Key": uuid4().hex}
                made = client.post("/api/wishlist", json={"text": "a kite"}, headers=keyed)
                assert made.status_code == 201, made.text
                again = client.post("/api/wishlist", json={"text": "a kite"}, headers=keyed)
                assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
                (state / "passphrase").write_text("a passphrase of the tests alone\n")
                sealing = {"BACKUP_PASSPHRASE_FILE": str(state / "passphrase")} if shutil.which("gpg") else {}
                python(copy, "devstack", "backup", str(saved), env={**environment, **sealing})
                client.post("/api/wishlist", json={"text": "lost with the machine"}, headers=caller)
            databases = {process.database for process in declaration().stored} | {"wishlist"}
            assert {file.name.partition(".")[0] for file in saved.glob("*.dump*")} == databases
            assert all(file.suffix == ".gpg" for file in saved.iterdir()) or not sealing

            unprivileged.discard(state / "postgres")
            shutil.rmtree(state / "redis")
            python(copy, "devstack", "restore", str(saved), env={**environment, **sealing})
            with up(copy, state) as (_, gateway), httpx.Client(base_url=gateway, timeout=30) as client:
                kept = client.get("/api/wishlist", headers=signed_in(client))
                assert [entry["text"] for entry in kept.json()] == ["a kite"]
        finally:
            unprivileged.discard(state / "postgres")


def test_a_service_without_a_database_is_checked_too(copy: Path) -> None:
    code, _, entries, _ = added(copy)
    assert sorted(Path(name).name for name in code) == [
        *("__main__.py", "app.py", "greeting.py", "settings.py", "test_wishlist.py"),
    ]
    assert entries == ["gatehouse.toml", "kong.yml.template"]
    check(copy, types=False)
    assert declaration().processes.get("wishlist") is None  # of the copy alone


def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(copy: Path) -> None:
    before = contents(copy)
    for name in ("Wishlist", "auth", "chassis", "class", "wish-list", "postgres", "../x"):
        finished = subprocess.run(
            [sys.executable, "-m", "devstack.scaffold", name],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 1, name
        assert name in finished.stderr
    assert contents(copy) == before

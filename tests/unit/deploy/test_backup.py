"""backup.sh and restore.sh ask what runs what to save. What becomes of containers: tests/e2e/test_containers.py."""

import os
import shutil
import signal as signals
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.backup import require_whole
from devstack.errors import DevstackError
from tests.unit.project.compose_files import ROOT

DOCKER = """#!/bin/sh
# Stands in for docker: a server with three databases, one container with files.
echo "$*" >> "$CALLS"
case "$*" in
*"LIKE '%-former'") [ ! -e "$CALLS.swapped" ] || echo member-former ;;
*"WHERE datname LIKE"*) ;;
*RENAME*)
	[ ! -e "$CALLS.connected" ] || { rm "$CALLS.connected"; echo "is being accessed by other users" >&2; exit 1; }
	[ -z "${REFUSED:-}" ] || exit 1
	touch "$CALLS.swapped" ;;
*"DROP DATABASE"*-former*) rm "$CALLS.swapped" ;;
*"redis check") grep -q broken && { echo "Wrong signature" >&2; exit 1; } || exit 0 ;;
*"redis restore") [ -z "${FULL:-}" ] || { echo "no space left" >&2; exit 1; } ;;
*pg_restore*) grep -q broken && { echo "unexpected end of file" >&2; exit 1; } || exit 0 ;;
*"SELECT datname"*) printf 'auth\\nmember\\nwishlist\\n' ;;
*"SELECT rolname"*) printf 'auth\\nmember\\nwishlist\\nexporter\\npostgres\\n' ;;
*pg_dump*) echo "dump of ${*##* }" ;;
*snapshot*) echo snapshot ;;
"compose ps"*) printf 'one\\ntwo\\n' ;;
inspect*) printf 'catalog /media\\nmember \\n' ;;
*" tar -C /media -cf"*) echo of the catalog > "$CALLS.picture"; tar -cf - -C "${CALLS%/*}" "${CALLS##*/}.picture" ;;
esac
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER, encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}


def run(script: str, directory: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "deploy" / script), str(directory)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_database_of_the_server_and_every_container_with_files_is_saved(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    finished = run("backup.sh", tmp_path / "saved", environment)
    assert finished.returncode == 0, finished.stderr
    saved = {file.name: file.read_text() for file in (tmp_path / "saved").iterdir()}
    assert "of the catalog" in saved.pop("catalog.tar")
    assert saved == {
        "auth.dump": "dump of auth\n",
        "member.dump": "dump of member\n",
        "wishlist.dump": "dump of wishlist\n",
        "redis.rdb": "snapshot\n",
    }


def test_half_a_list_of_containers_is_no_backup(tmp_path: Path, environment: dict[str, str]) -> None:
    program = tmp_path / "bin" / "docker"
    # As where one is removed between being listed and being looked at.
    gone = "inspect*) printf 'member \\n'; echo 'no such object: two' >&2; exit 1 ;;"
    program.write_text(DOCKER.replace("inspect*)", f"{gone}\nnever)"), encoding="utf-8")
    refused = run("backup.sh", tmp_path / "saved", environment)
    assert (refused.returncode, "no such object" in refused.stderr) == (1, True)
    assert not list(tmp_path.glob("saved*"))


@pytest.mark.parametrize(
    ("dumps", "said"),
    [
        ({"auth": "x"}, "no dump of member"),
        ({"auth": "x", "member": ""}, "no dump of member"),
        ({"auth": "x", "member": "x", "stranger": "x"}, "a dump of stranger"),
    ],
)
def test_make_restore_looks_at_the_whole_backup_before_it_changes_anything(
    tmp_path: Path, dumps: dict[str, str], said: str
) -> None:
    for name, content in dumps.items():
        (tmp_path / f"{name}.dump").write_text(content)
    with pytest.raises(DevstackError, match=f"{said}.*nothing was changed"):
        require_whole(tmp_path, ["auth", "member"])


def test_make_restore_leaves_a_database_as_it_is_where_that_is_meant(tmp_path: Path) -> None:
    (tmp_path / "auth.dump").write_text("x")
    require_whole(tmp_path, ["auth", "member"], ["member"])


def test_a_backup_without_one_of_the_databases_changes_nothing_unless_that_is_meant(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    for name in ("auth.dump", "member.dump", "redis.rdb"):
        (tmp_path / name).write_text("saved")
    refused = run("restore.sh", tmp_path, environment)
    assert refused.returncode == 1
    assert "wishlist.dump is missing or empty: nothing was changed" in refused.stderr
    assert "compose stop" not in (tmp_path / "calls").read_text()

    meant = run("restore.sh", tmp_path, {**environment, "WITHOUT": "wishlist"})
    assert meant.returncode == 0, meant.stderr
    calls = (tmp_path / "calls").read_text()
    assert 'ALTER DATABASE "member-restoring" RENAME TO "member"' in calls
    assert '"wishlist' not in calls


def called(environment: dict[str, str], what: str) -> int:
    """Where in the order of all calls. Raises StopIteration where it was not called."""
    calls = Path(environment["CALLS"]).read_text().splitlines()
    return next(number for number, call in enumerate(calls) if what in call)


@pytest.fixture
def saved(tmp_path: Path, environment: dict[str, str]) -> Path:
    assert run("backup.sh", tmp_path / "saved", environment).returncode == 0
    (tmp_path / "calls").unlink()
    return tmp_path / "saved"


@pytest.mark.parametrize("name", ["catalog.tar", "redis.rdb"])
def test_a_backup_of_which_a_file_cannot_be_read_stops_and_changes_nothing(
    environment: dict[str, str], saved: Path, name: str
) -> None:
    (saved / name).write_text("broken")
    Path(environment["CALLS"]).touch()
    refused = run("restore.sh", saved, environment)
    assert (refused.returncode, f"{name} " in refused.stderr) == (1, True)
    assert "nothing was changed" in refused.stderr
    calls = Path(environment["CALLS"]).read_text()
    assert "compose stop" not in calls and "RENAME" not in calls


def test_the_shop_sells_nothing_while_dumps_are_loaded_and_goes_on_where_one_cannot_be(
    environment: dict[str, str], saved: Path
) -> None:
    (saved / "wishlist.dump").write_text("broken")
    refused = run("restore.sh", saved, environment)
    assert (refused.returncode, "wishlist.dump cannot be restored" in refused.stderr) == (1, True)
    assert "nothing was changed, and what had been stopped was started again" in refused.stderr
    calls = Path(environment["CALLS"]).read_text()
    assert called(environment, "compose stop") < called(environment, "pg_restore")
    assert "RENAME" not in calls and calls.endswith("compose up --detach --wait\n")


def test_databases_change_places_although_somebody_comes_back_between(
    environment: dict[str, str], saved: Path
) -> None:
    Path(f"{environment['CALLS']}.connected").touch()
    restored = run("restore.sh", saved, environment)
    assert restored.returncode == 0, restored.stderr
    swap = Path(environment["CALLS"]).read_text().partition("BEGIN;")[2]
    assert 0 < swap.index("pg_terminate_backend") < swap.index("RENAME")
    assert 'GRANT CONNECT ON DATABASE "auth-restoring" TO exporter' in Path(environment["CALLS"]).read_text()


def test_databases_that_cannot_change_places_leave_the_shop_as_it_was(
    environment: dict[str, str], saved: Path
) -> None:
    refused = run("restore.sh", saved, {**environment, "REFUSED": "yes"})
    assert (refused.returncode, "nothing was changed" in refused.stderr) == (1, True)
    calls = Path(environment["CALLS"]).read_text()
    assert "redis restore" not in calls and calls.endswith("compose up --detach --wait\n")


def test_former_databases_are_dropped_when_everything_is_in_its_place(
    environment: dict[str, str], saved: Path
) -> None:
    broken_off = run("restore.sh", saved, {**environment, "FULL": "yes"})
    assert (broken_off.returncode, "is not complete" in broken_off.stderr) == (1, True)
    assert "nothing was changed" not in broken_off.stderr
    assert "DROP DATABASE" not in Path(environment["CALLS"]).read_text()
    Path(environment["CALLS"]).unlink()
    Path(f"{environment['CALLS']}.swapped").unlink()

    restored = run("restore.sh", saved, environment)
    assert restored.returncode == 0, restored.stderr
    dropped = called(environment, 'DROP DATABASE "member-former"')
    assert called(environment, "redis restore") < called(environment, "-xf") < dropped


def test_a_dump_that_nobody_declared_changes_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    for name in ("auth.dump", "member.dump", "wishlist.dump", "stranger.dump", "redis.rdb"):
        (tmp_path / name).write_text("saved")
    refused = run("restore.sh", tmp_path, environment)
    assert (refused.returncode, "no role stranger" in refused.stderr) == (1, True)
    assert "compose stop" not in (tmp_path / "calls").read_text()


@pytest.fixture
def sealed(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    if shutil.which("gpg") is None:
        pytest.skip("gpg is not installed: backups are not sealed on this machine")
    (tmp_path / "passphrase").write_text("correct horse battery staple\n")
    return {**environment, "BACKUP_PASSPHRASE_FILE": str(tmp_path / "passphrase")}


def test_a_sealed_backup_holds_nothing_readable_and_opens_with_its_passphrase(
    tmp_path: Path, sealed: dict[str, str]
) -> None:
    saved = tmp_path / "saved"
    assert run("backup.sh", saved, sealed).returncode == 0
    assert sorted(file.name for file in saved.iterdir()) == [
        *("auth.dump.gpg", "catalog.tar.gpg", "member.dump.gpg", "redis.rdb.gpg", "wishlist.dump.gpg")
    ]
    assert not any(b"dump of" in file.read_bytes() for file in saved.iterdir())

    restored = run("restore.sh", saved, sealed)
    assert restored.returncode == 0, restored.stderr
    assert "restored auth.dump member.dump wishlist.dump" in restored.stdout
    assert not any("passphrase" in line for line in (tmp_path / "calls").read_text().splitlines())


@pytest.mark.parametrize("fault", ["another passphrase", "no passphrase", "a changed file"])
def test_a_sealed_backup_that_does_not_open_changes_nothing(
    tmp_path: Path, sealed: dict[str, str], fault: str
) -> None:
    saved = tmp_path / "saved"
    assert run("backup.sh", saved, sealed).returncode == 0
    if fault == "another passphrase":
        (tmp_path / "passphrase").write_text("another\n")
    elif fault == "no passphrase":
        sealed.pop("BACKUP_PASSPHRASE_FILE")
    else:
        file = saved / "member.dump.gpg"
        file.write_bytes(file.read_bytes()[:-5] + b"wrong")
    (tmp_path / "calls").unlink()
    assert run("restore.sh", saved, sealed).returncode != 0
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize("passphrase", ["", None])
def test_without_a_passphrase_nothing_is_saved_unsealed(
    tmp_path: Path, sealed: dict[str, str], passphrase: str | None
) -> None:
    file = Path(sealed["BACKUP_PASSPHRASE_FILE"])
    file.unlink() if passphrase is None else file.write_text(passphrase)
    refused = run("backup.sh", tmp_path / "saved", sealed)
    assert (refused.returncode, "missing or empty" in refused.stderr) == (1, True)
    assert not list(tmp_path.glob("saved*"))


@pytest.mark.parametrize("signal", ["HUP", "INT", "TERM"])
@pytest.mark.parametrize(("script", "during"), [("backup.sh", "snapshot"), ("restore.sh", "rolname")])
def test_who_breaks_off_leaves_nothing_unsealed_behind(
    tmp_path: Path, sealed: dict[str, str], script: str, during: str, signal: str
) -> None:
    saved, temporary = tmp_path / "saved", tmp_path / "temporary"
    temporary.mkdir()
    if script == "restore.sh":
        assert run("backup.sh", saved, sealed).returncode == 0
    program = tmp_path / "bin" / "docker"
    program.write_text(
        DOCKER.replace(
            "esac", f'*) ;; esac; case "$*" in *{during}*) kill -{signal} $(cat "$CALLS.pid") ;; esac'
        ),
        encoding="utf-8",
    )
    command = f'echo $$ > "$CALLS.pid"; exec sh {ROOT}/deploy/{script} {saved}'
    stopped = subprocess.run(
        ["sh", "-c", command],
        env={**sealed, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_as_from_a_terminal,
    )
    assert stopped.returncode != 0
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "saved.partial").exists()


def _as_from_a_terminal() -> None:
    """Under nohup, HUP is ignored by every process below, and no shell can change that."""
    signals.signal(signals.SIGHUP, signals.SIG_DFL)


def test_make_backup_and_make_restore_clean_up_when_a_signal_ends_them() -> None:
    program = (
        "import os, signal\nfrom devstack import backup\nbackup._end_by_exception()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n    signal.pause()\nfinally:\n    print('cleaned up')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (143, "cleaned up\n")


@pytest.mark.parametrize("stopped_stack", [True, False])
def test_a_stopped_stack_is_found_where_the_env_file_says_that_it_is(
    tmp_path: Path, environment: dict[str, str], stopped_stack: bool
) -> None:
    for directory in ("deploy", ".venv/bin"):
        (tmp_path / directory).mkdir(parents=True)
    shutil.copy(ROOT / "deploy/where.sh", tmp_path / "deploy")
    state = tmp_path / "elsewhere"
    if stopped_stack:
        state.mkdir()
    python = tmp_path / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *state) echo {state} ;; *status) exit 3 ;; esac\n')
    python.chmod(0o755)
    (tmp_path / "bin/docker").write_text("#!/bin/sh\n")  # there, and without a project
    command = ["sh", str(tmp_path / "deploy/where.sh")]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == ("local\n" if stopped_stack else "compose\n")

"""`backup` and `restore` of the stack under `make up`: the same files as deploy/backup.sh writes.

A backup taken here goes into a compose project with the same auth_key_encryption_key. Not the other way round:
compose's PostgreSQL and Redis are newer, and older ones do not read their files.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from devstack import ports, running, throwaway
from devstack.declaration import declaration
from devstack.errors import DevstackError, PrepareError
from devstack.secret_store import load_or_create
from devstack.settings import ROOT, Settings
from devstack.topology import cache, kept_files, server

REDIS = "redis.rdb"
SEALED = ".gpg"
SKIP_NUMBERS = ROOT / "deploy" / "postgres" / "skip-numbers.sql"


def backup(settings: Settings, directory: Path | None) -> int:
    """Every database that the server has, Redis and kept files, into a new directory. The stack has to be running."""
    _require_own_stores(settings)
    if not running.is_locked(settings):
        raise DevstackError("nothing runs: make up first")
    target = directory or Path("backups") / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    if target.exists():
        raise DevstackError(f"{target} is there already: a backup is never written over")
    partial = target.with_name(f"{target.name}.partial")
    secrets = load_or_create(settings.secrets_file)
    postgres = server(settings, secrets)
    mask = os.umask(0o077)
    try:
        _end_by_exception()
        partial.mkdir(parents=True)
        for database in postgres.databases():
            postgres.dump(database, partial / f"{database}.dump")
        cache(settings, secrets).snapshot((partial / REDIS).resolve())
        for name, files in kept_files(settings).items():
            files.mkdir(parents=True, exist_ok=True)
            _tar("-cf", partial / f"{name}.tar", files, ".")
        if settings.passed_on.get("BACKUP_PASSPHRASE_FILE"):
            _seal(settings, "seal", partial)
        partial.rename(target)
    finally:
        os.umask(mask)
        shutil.rmtree(partial, ignore_errors=True)
    print(f"saved to {target}: {' '.join(sorted(file.name for file in target.iterdir()))}")
    return 0


def restore(settings: Settings, directory: Path) -> int:
    """Puts a backup in place of what the stack holds. It must not be running, and is not started."""
    _require_own_stores(settings)
    if running.is_locked(settings):
        raise DevstackError("the stack is running: make down first")
    _end_by_exception()
    if any(directory.glob(f"*{SEALED}")):
        with tempfile.TemporaryDirectory(prefix="gatehouse-") as opened:
            _seal(settings, "open", directory, Path(opened))
            return _restore(settings, Path(opened))
    return _restore(settings, directory)


def _restore(settings: Settings, directory: Path) -> int:
    """All that can be seen to be wrong is seen before the first change."""
    if not (directory / REDIS).is_file():
        raise DevstackError(f"{directory / REDIS} is missing: nothing was changed")
    running.require_own_state(settings)
    with running.only_one(settings, running.RESTORE), ExitStack() as until_the_end:
        settings.logs.mkdir(parents=True, exist_ok=True)
        secrets = load_or_create(settings.secrets_file)
        postgres, redis = server(settings, secrets), cache(settings, secrets)
        ports.require_free_port(postgres.port, "postgres")
        dumps = {dump.stem: dump.resolve() for dump in sorted(directory.glob("*.dump"))}
        try:
            redis.require_readable(directory / REDIS)
            fresh = {
                files: until_the_end.enter_context(_unpacked(archive, beside=files))
                for name, files in kept_files(settings).items()
                if (archive := directory / f"{name}.tar").is_file()
            }
            until_the_end.enter_context(throwaway.running(postgres, settings.logs / "restore.log"))
            postgres.create_databases(declaration().stored, secrets)
            require_whole(directory, postgres.databases(), (settings.passed_on.get("WITHOUT") or "").split())
            postgres.load(dumps, SKIP_NUMBERS.read_text(encoding="utf-8"))
        except PrepareError as fault:
            raise PrepareError(f"{fault}\nNothing was changed.") from fault
        postgres.put_in_place(dumps)
        print(f"restored {', '.join(dumps)}")
        redis.prepare()
        redis.restore(directory / REDIS)
        print("restored redis")
        for files, found in fresh.items():
            _put_in_place(found, files)
            print(f"restored the files in {files.name}")
        postgres.drop_aside()
    return 0


@contextmanager
def _unpacked(archive: Path, *, beside: Path) -> Iterator[Path]:
    """A directory with what is in the archive, on the file system where it is to be. Raises DevstackError."""
    directory = beside.with_name(f"{beside.name}.restored")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        _tar("-xf", archive, directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _put_in_place(found: Path, files: Path) -> None:
    """Instead of the directory that is there. Whenever this is broken off, one of the two is complete."""
    former = files.with_name(f"{files.name}.former")
    if files.exists():
        shutil.rmtree(former, ignore_errors=True)
        files.rename(former)
    try:
        found.rename(files)
    except BaseException:
        former.rename(files)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _end_by_exception() -> None:
    """A signal ends this process by way of its `finally`: what is unsealed does not stay."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _: sys.exit(128 + number))


def require_whole(directory: Path, databases: Iterable[str], without: Iterable[str] = ()) -> None:
    """Raises DevstackError, before anything is changed, unless there is a dump of each database and of no other.

    Those in `without` may be missing, and are left as they are.
    """
    dumps = {dump.stem for dump in directory.glob("*.dump") if dump.stat().st_size}
    wanted = set(databases)
    if missing := sorted(wanted - dumps - set(without)):
        raise DevstackError(
            f"{directory} has no dump of {', '.join(missing)}: nothing was changed "
            f'(WITHOUT="{" ".join(missing)}" leaves it as it is)'
        )
    if strangers := sorted(dumps - wanted):
        raise DevstackError(
            f"{directory} has a dump of {', '.join(strangers)}, which gatehouse.toml does not declare: "
            "nothing was changed"
        )


def _require_own_stores(settings: Settings) -> None:
    if not (settings.runs("postgres") and settings.runs("redis")):
        raise DevstackError(
            "its stores are not this stack's (DEVSTACK_POSTGRES, DEVSTACK_REDIS): save and restore them where they run"
        )


def _seal(settings: Settings, action: str, *directories: Path) -> None:
    """Encrypts a backup, or decrypts it, as deploy/backup.sh and deploy/restore.sh do. Raises DevstackError."""
    passphrase = settings.passed_on.get("BACKUP_PASSPHRASE_FILE") or ""
    finished = subprocess.run(
        ["sh", str(ROOT / "deploy" / "seal.sh"), action, *(str(each.resolve()) for each in directories)],
        env={"PATH": os.environ.get("PATH", os.defpath), "BACKUP_PASSPHRASE_FILE": passphrase},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise DevstackError(finished.stderr.strip() or f"seal.sh {action} failed")


def _tar(mode: str, archive: Path, directory: Path, *names: str) -> None:
    """As the containers' own tar does it: the one of Python 3.11.0 cannot refuse paths that lead out."""
    command = ["tar", mode, str(archive.resolve()), "-C", str(directory), *names]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise PrepareError(f"tar failed: {finished.stderr.strip()}")

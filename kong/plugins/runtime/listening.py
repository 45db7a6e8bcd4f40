"""Makes the socket that Kong connects to: its mode right from the start, over a stale one, or a live one if told to."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from kong.plugins.runtime.errors import SocketRefusedError

BACKLOG = 4096
COMING = ".new"
"""The name of a socket that does not answer yet."""
LONGEST_PATH = 107
"""Bytes (Linux, `struct sockaddr_un`)."""
REQUEST_TIMEOUT = 1.0
"""Seconds that a killed server's workers have to disappear."""


def bind(listener: socket.socket, path: Path, mode: int, *, take_over: bool = False) -> None:
    """Bind and listen. Raises SocketRefusedError where the path is taken or unfit.

    `take_over`: a live server's place too. It keeps the connections that it has; new ones are ours.
    """
    with _only_one(path.parent):
        refuse_unfit(path, take_over=take_over)
        # Kong finds the socket when it answers, and not before: between bind and listen connections are refused, and
        # between bind and a chmod Kong's workers would be denied, so the mode is given by the mask.
        coming = path.with_name(COMING)
        coming.unlink(missing_ok=True)
        before = os.umask(0o777 & ~mode)
        try:
            listener.bind(str(coming))
        finally:
            os.umask(before)
        listener.listen(BACKLOG)
        coming.replace(path)


def refuse_unfit(path: Path, *, take_over: bool = False) -> None:
    """Raise SocketRefusedError where the path cannot be taken: too long, not a socket, or a server lives behind it."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise SocketRefusedError(f"{path}: a socket's path has at most {LONGEST_PATH} bytes")
    if not path.parent.is_dir():
        raise SocketRefusedError(f"{path}: no directory {path.parent}")
    end = time.monotonic() + REQUEST_TIMEOUT
    while _taken(path) and not take_over:
        if time.monotonic() > end:
            raise SocketRefusedError(f"{path}: another server is listening there")
        time.sleep(0.05)


def remove(listener: socket.socket, path: Path, inode: int) -> None:
    """Remove the socket's file, unless another server has put its own there."""
    listener.close()
    with contextlib.suppress(OSError), _only_one(path.parent):
        if path.stat().st_ino == inode:
            path.unlink()


def _taken(path: Path) -> bool:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(kind):
        raise SocketRefusedError(f"{path}: exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError as error:
            raise SocketRefusedError(f"{path}: {error}") from None
        return True


@contextlib.contextmanager
def _only_one(directory: Path) -> Iterator[None]:
    """One server at a time decides about the sockets of a directory."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""The stack's one log stream: a file for each part, one for all with the part's name before each line."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from devstack.readable_lines import readable

EVERYTHING = "all"
REMEMBERED = 30  # lines of a part that a failure message can quote
SIZE_LIMIT = 20 * 1024 * 1024  # bytes of one file; then it begins anew beside its predecessor


class LogFile:
    """Appends lines; beyond SIZE_LIMIT the file becomes NAME.log.1 and a new one begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb", buffering=0)
        self._size = 0

    def write(self, lines: Sequence[str]) -> None:
        content = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        with contextlib.suppress(
            OSError
        ):  # a full disk costs lines; whose output nobody reads would stand still
            self._file.write(content)
        self._size += len(content)
        if self._size > SIZE_LIMIT:
            self._file.close()
            self._path.replace(self._path.with_suffix(".log.1"))
            self._file, self._size = self._path.open("wb", buffering=0), 0

    def close(self) -> None:
        self._file.close()


class Logs:
    """Takes every part's lines. With a `terminal` it shows them there too."""

    def __init__(self, directory: Path, names: list[str], terminal: TextIO | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._width = max(len(name) for name in [*names, "devstack"])
        self._files = {name: LogFile(directory / f"{name}.log") for name in [*names, "devstack", EVERYTHING]}
        self._recent: dict[str, deque[str]] = {
            name: deque(maxlen=REMEMBERED) for name in [*names, "devstack"]
        }
        self._terminal = terminal

    def write(self, name: str, text: str) -> None:
        """`text`: one line or several."""
        lines = text.splitlines() or [""]
        self._files[name].write(lines)
        self._recent[name].extend(lines)
        prefixed = [f"{name:<{self._width}} | {line}" for line in lines]
        self._files[EVERYTHING].write(prefixed)
        if self._terminal is not None:
            for line in prefixed:
                print(_for(self._terminal, line), file=self._terminal, flush=True)

    def recent(self, name: str) -> list[str]:
        """The part's last lines, oldest first."""
        return list(self._recent[name])

    def forget(self, name: str) -> None:
        """Begin a new life of a part: its last lines are those of this life only."""
        self._recent[name].clear()

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def _for(output: TextIO, line: str) -> str:
    """A terminal gets it for a person to read; a file or a pipe as it is, for programs."""
    return readable(line) if output.isatty() else line


def show(directory: Path, name: str, lines: int, output: TextIO = sys.stdout) -> int:
    """Print the last lines of one log; gives the position in the file to follow it from."""
    with (directory / f"{name}.log").open(encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            output.write(_for(output, line))
        return file.tell()


def continue_from(directory: Path, name: str, position: int, output: TextIO = sys.stdout) -> int:
    """Print what has come since `position`; gives the new one. A file that began anew is read whole."""
    with (directory / f"{name}.log").open(encoding="utf-8", errors="replace") as file:
        file.seek(0, 2)
        if file.tell() < position:
            position = 0
        file.seek(position)
        for line in file:
            output.write(_for(output, line))
        output.flush()
        return file.tell()

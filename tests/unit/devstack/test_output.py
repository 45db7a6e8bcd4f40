"""What parts write: read in pieces of any size, and kept line by line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devstack import process
from devstack.command import Command
from devstack.logs import EVERYTHING, Logs
from devstack.process import Process


async def written(script: str, directory: Path) -> list[str]:
    """The lines of what a Python script writes."""
    lines: list[str] = []
    command = Command((sys.executable, "-uc", script), {}, directory)
    await (await Process.start(command, lambda text: lines.extend(text.split("\n")))).wait()
    return lines


async def test_a_line_is_whole_in_whatever_pieces_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "READ_AT_ONCE", 7)
    script = "import sys; sys.stdout.buffer.write('one\\r\\ntwo \uc0c1\uc810\\n\\nfour'.encode())"
    assert await written(script, tmp_path) == ["one", "two \uc0c1\uc810", "", "four"]


async def test_a_line_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "READ_AT_ONCE", 8)
    monkeypatch.setattr(process, "LINE_LIMIT", 16)
    assert await written("print('x' * 40, end='')", tmp_path) == ["x" * 16, "x" * 16, "x" * 8]


def test_each_of_several_lines_has_its_parts_name(tmp_path: Path) -> None:
    logs = Logs(tmp_path, ["auth"])
    logs.write("auth", "one\ntwo")
    logs.close()
    assert (tmp_path / "auth.log").read_text() == "one\ntwo\n"
    assert (tmp_path / f"{EVERYTHING}.log").read_text() == "auth     | one\nauth     | two\n"
    assert logs.recent("auth") == ["one", "two"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "auth.log").symlink_to("/dev/full")
    logs = Logs(tmp_path, ["auth"])
    logs.write("auth", "one")
    logs.close()
    assert logs.recent("auth") == ["one"]

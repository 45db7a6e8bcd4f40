"""A secret comes from its variable or its file, blanks and all; only the line end that editors add is left out."""

from pathlib import Path

import pytest

from common.secret_files import lookup
from tests.nasty_passwords import PASSWORDS


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_from_a_file(tmp_path: Path, password: str, ending: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes((password + ending).encode())
    assert lookup("NAME", {"NAME_FILE": str(file), "NAME": "other"}) == password


def test_an_empty_one_is_none(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("\n")
    assert lookup("NAME", {"NAME_FILE": str(file)}) is None
    assert lookup("NAME", {"NAME": "", "NAME_FILE": ""}) is None
    assert lookup("NAME", {}) is None


def test_a_file_that_is_not_there_is_no_empty_secret() -> None:
    with pytest.raises(FileNotFoundError):
        lookup("NAME", {"NAME_FILE": "/no/such/file"})

"""What `make restart NAME=kong` says of a mistake for which Kong itself has no words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devstack import gateway_part, settings
from devstack.errors import PrepareError
from devstack.settings import ROOT

RIGHT = "    plugins: [*token-validator]\n"


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("    plugins: [token-validator]\n", "expected a record"),
        (RIGHT, "does not say where"),
    ],
    ids=["the check knows the line", "it does not"],
)
def test_the_check_names_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, reason: str
) -> None:
    def breaks_off(*_: object) -> str:
        raise PrepareError("Kong breaks off over the file and does not say where")

    monkeypatch.setattr(gateway_part, "_script", breaks_off)
    template = tmp_path / "kong.yml.template"
    text = (ROOT / gateway_part.TEMPLATE).read_text()
    template.write_text(text.replace(RIGHT, wrong, 1))
    line = text.count("\n", 0, text.index(RIGHT)) + 1
    with pytest.raises(PrepareError) as refused:
        gateway_part._reload(settings.read(os.environ), {"KONG_TEMPLATE": str(template)})
    assert reason in str(refused.value)
    assert (f"{template}:{line}: " in str(refused.value)) == (wrong != RIGHT)
    assert "does not say where" in str(refused.value)

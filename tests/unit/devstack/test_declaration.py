"""gatehouse.toml: what it may say, and what follows from it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from devstack.check import check
from devstack.declaration import ROOT, DeclarationError, declaration, read
from devstack.errors import PrepareError
from devstack.generate import __main__ as generate
from devstack.generate.blocks import BlockError, filled

TEXT = (ROOT / "gatehouse.toml").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "kong.yml.template").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("port = 5000", "port = 4000", "processes.member: port 4000 is auth's"),
        ('database = "member"', 'database = "auth"', "processes.member: the database auth is auth's"),
        ('database = "member"', 'database = "Member"', "database Member is not a plain name"),
        ('calls = { auth = "keys" }', 'calls = { ouath = "keys" }', "calls ouath, which is nobody"),
        ('calls = { auth = "keys" }', 'calls = { auth = "key" }', "there is no network key"),
        ('over = "auth_data"', 'over = "data"', "processes.auth: there is no network data"),
        ('kind = "front"', 'kind = "frond"', "frond"),
        ('lock = "catalog"', 'look = "catalog"', "look"),
        ('"GET,HEAD /api/categories"', '"get /api/categories"', "public 'get /api/categories'"),
        ("[processes.member]", "[processes.Member]", "processes.Member: a name is"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    assert right in TEXT
    file = tmp_path / "gatehouse.toml"
    file.write_text(TEXT.replace(right, wrong, 1))
    with pytest.raises(DeclarationError, match=re.escape(reason)):
        read(file)


def test_a_database_named_otherwise_than_its_service_keeps_the_services_variables(tmp_path: Path) -> None:
    file = tmp_path / "gatehouse.toml"
    file.write_text(TEXT.replace('database = "member"', 'database = "members"'))
    found = read(file)
    assert found.processes["member"].database_variable == "MEMBER_DATABASE"
    assert found.secrets()["MEMBER_DATABASE_PASSWORD"] == "development-member"


def test_every_file_is_as_the_declaration_says() -> None:
    differing = [name for name, text in generate.files() if (ROOT / name).read_text(encoding="utf-8") != text]
    assert differing == [], "run make generate"


def test_what_is_out_of_step_is_named_with_what_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "files", lambda: [("compose.yaml", "edited by hand")])
    assert generate.main(check=True) == 1
    assert capsys.readouterr().err == "compose.yaml is out of step with gatehouse.toml: run make generate\n"


def test_a_block_is_filled_and_what_is_around_it_stays() -> None:
    text = "a: 1\n  # >>> names, from x\n  - old\n  # <<<\nb: 2\n"
    after = filled(text, {"names": ["- one", "- two"]})
    assert after.startswith("a: 1\n  # >>> names, from gatehouse.toml")
    assert after.endswith("\n  - one\n  - two\n  # <<<\nb: 2\n")
    assert filled(after, {"names": ["- one", "- two"]}) == after
    wrongs: list[dict[str, list[str]]] = [{}, {"other": []}, {"names": [], "other": []}]
    for wrong in wrongs:
        with pytest.raises(BlockError):
            filled(text, wrong)


BFF = '  - name: bff\n    url: "${BFF_URL}"'
ANCHOR = "      - &token-validator\n        name: token-validator\n"
ROUTES = [
    ('url: "${MEMBER_URL}"', 'url: "http://members.example:5000"', "leads to members.example:5000, which no"),
    ('url: "${MEMBER_URL}"', 'url: "${BFF_URL}"', "member has no route: add one, or say `routed = false`"),
    (
        "    plugins: [*token-validator]\n    routes:\n      - name: members\n",
        "    routes:\n      - name: members\n",
        "/api/members of member needs no token, which nobody decided",
    ),
    *(
        (ANCHOR, f"{ANCHOR}        {off}\n", "/api/members of member needs no token, which nobody decided")
        for off in ("enabled: false", "protocols: [tcp]", "protocols: []")
    ),
    ("register|login", "register|login|roles", "needs no token, which nobody decided"),
    (
        "methods: [GET, HEAD]\n        paths: [/api/products",
        "methods: [GET, HEAD, PUT]\n        paths: [/api/products",
        "GET,HEAD,PUT /api/products of catalog needs no token",
    ),
    (
        "paths: [/api/products, /api/categories, /media]\n",
        "paths: [/api/products, /media]\n",
        "as public, and no open route has it",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "reason"), ROUTES)
def test_a_route_that_nobody_declared_is_named(tmp_path: Path, right: str, wrong: str, reason: str) -> None:
    assert right in TEMPLATE
    template = tmp_path / "kong.yml.template"
    template.write_text(TEMPLATE.replace(right, wrong))
    with pytest.raises(PrepareError) as refused:
        check(template, os.environ)
    assert reason in str(refused.value)


def test_every_secret_has_a_development_value_that_production_refuses_or_is_given() -> None:
    found = declaration()
    for name, value in found.secrets().items():
        marked = value.startswith("development") or value == "ZGV2ZWxvcG1lbnQta2V5LWVuY3J5cHRpb24ta2V5ISE="
        assert marked or found.is_given(name), name

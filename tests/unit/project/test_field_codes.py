"""A service names what is wrong with a value by a code of the one list; none of them is made up on the way."""

import ast

import pytest

from common.field_codes import MESSAGES, parameters
from services.chassis import field_errors
from tests.unit.project.compose_files import ROOT

CALLS = {"of": 1, "InvalidValue": 0, "UnacceptablePassword": 0}
"""Where each of these calls has its code."""


def named() -> dict[str, set[frozenset[str]]]:
    """The codes in the sources, with the parameters that each is given."""
    found: dict[str, set[frozenset[str]]] = {}
    for path in [*(ROOT / "services").rglob("*.py"), *(ROOT / "common").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name == "of" and ast.unparse(function) not in {"FieldError.of", "errors.FieldError.of"}:
                continue
            if name in CALLS and isinstance(code := node.args[CALLS[name]], ast.Constant):
                given = frozenset(keyword.arg or "" for keyword in node.keywords)
                found.setdefault(str(code.value), set()).add(given)
    return found


def test_every_code_is_one_of_the_list_with_the_parameters_that_it_names() -> None:
    found = named()
    assert len(found) > 10
    for code, given in found.items():
        assert given == {parameters(MESSAGES[code])}, code


def test_every_code_of_the_list_is_in_use() -> None:
    decoded = {code for _, code in field_errors._RULES} | {"blank", "invalid", "required"}
    assert set(named()) | decoded == set(MESSAGES)


@pytest.mark.parametrize(
    ("message", "code", "params"),
    [
        ("Expected `str` of length >= 3", "too_short", {"min": 3}),
        ("Expected `str` of length >= 1", "blank", {}),
        ("Expected `str` of length <= 100", "too_long", {"max": 100}),
        ("Expected `array` of length <= 10", "too_many", {"max": 10}),
        ("Expected `array` of length >= 2", "too_few", {"min": 2}),
        ("Expected `int` >= 0", "too_small", {"min": 0}),
        ("Expected `int` <= -5", "too_large", {"max": -5}),
        ("Expected `float` <= 1.0", "too_large", {"max": 1}),
        ("Expected `str`, got `int`", "wrong_type", {"expected": "string"}),
        ("Expected `str | null`, got `int`", "wrong_type", {"expected": "string"}),
        ("Expected `array`, got `str`", "wrong_type", {"expected": "array"}),
        ("Invalid enum value 'x'", "not_allowed", {}),
        ("Expected `str` matching regex '^a$'", "invalid", {}),
        ("Invalid UUID", "invalid", {}),
        ("Something that msgspec says one day", "invalid", {}),
    ],
)
def test_the_decoders_texts_become_codes(message: str, code: str, params: dict[str, object]) -> None:
    error = field_errors.parsed(f"{message} - at `$.a[0].b`", "data")
    assert (error.field, error.code, error.params) == ("data.a.0.b", code, params)
    assert "`" not in error.message
    assert "regex" not in error.message

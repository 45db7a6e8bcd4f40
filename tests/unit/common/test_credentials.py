from __future__ import annotations

import pytest

from common.access_tokens.credentials import bearer_token, said

READINGS = {
    None: (False, ""),
    "": (False, ""),
    " \t ": (False, ""),
    "Bearer": (True, ""),
    "Bearer  \t": (True, ""),
    "Bearer a.b.c": (True, "a.b.c"),
    "bearer a.b.c": (True, "a.b.c"),
    "BEARER   a.b.c": (True, "a.b.c"),
    " Bearer a.b.c \t": (True, "a.b.c"),
    "Bearer\ta.b.c": (True, ""),
    "Bearera.b.c": (True, ""),
    "a.b.c": (True, ""),
    "Basic dTpw": (True, ""),
    "Bearer a, Bearer b": (True, "a, Bearer b"),
    "Bearer\u00a0a": (True, ""),
}


@pytest.mark.parametrize("header", READINGS)
def test_one_reading_of_an_authorization_header(header: str | None) -> None:
    assert (said(header), bearer_token(header)) == READINGS[header]

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend_proxy.edge import paths


@pytest.mark.parametrize(
    "path", ["/", "/api/members/7f3b", "/a%20b", "/%ED%95%9C", "/a.b/..c/d..", "/a;b=c", "/~x/-_."]
)
def test_ordinary_paths_pass(path: str) -> None:
    assert paths.fault(path.encode(), b"q=%2e%2f&x=//") is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "//",
        "/a//b",
        "/.",
        "/..",
        "/a/../b",
        "/a/..;x/b",
        "/a\\b",
        "/%2e",
        "/%2F",
        "/%5c",
        "/%00",
        "/%0a",
        "/%7f",
        "/%252e",
        "/%",
        "/%2",
        "/%zz",
        "/a b",
        "/é",
        "/a#b",
        "/\x7f",
    ],
)
def test_paths_with_two_readings_do_not(path: str) -> None:
    assert paths.fault(path.encode(), b"") is not None


@pytest.mark.parametrize("target", ["/", "/account", "/members?q=a%20b&cursor=x", "/members?q=//x"])
def test_paths_on_this_site_may_be_next(target: str) -> None:
    assert paths.local_target(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "account",
        "//evil.example",
        "///evil",
        "/\\evil",
        "\\\\evil",
        "https://evil",
        "javascript:alert(1)",
        "/%2fevil",
        "/%5cevil",
        "/\tevil",
        "/\nevil",
        " /evil",
        "/é",
        "/" + "a" * 600,
        "/a?b\r\nX: y",
    ],
)
def test_everything_else_leads_home(target: str | None) -> None:
    assert paths.local_target(target) == "/"


@given(st.text(max_size=50))
def test_next_never_leaves_the_site(target: str) -> None:
    found = paths.local_target(target)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    assert not any(ord(character) < 33 or ord(character) > 126 for character in found)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.gateway import paths


@pytest.mark.parametrize(
    ("raw", "normalized"),
    [
        ("/", "/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/../../b", "/b"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("//a///b", "/a/b"),
        ("/%61%2e%2E/b", "/a../b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%3Bb", "/a%3Bb"),
        ("/%E2%82%AC", "/\xe2\x82\xac"),
    ],
)
def test_normalizes_as_kong_does(raw: str, normalized: str) -> None:
    assert paths.normalized(raw) == normalized


@given(st.text(alphabet="/.ab%2eEfF5", max_size=30))
def test_no_dot_segment_survives(tail: str) -> None:
    assert not {".", ".."} & set(paths.normalized("/" + tail).split("/"))


def test_escaping_makes_a_decoded_path_sendable_again() -> None:
    assert paths.escaped(paths.normalized("/%E2%82%AC %22")) == "/%E2%82%AC%20%22"


@pytest.mark.parametrize(
    ("path", "base", "stripped", "upstream"),
    [
        ("/a/b", None, None, "/a/b"),
        ("/a/b", "/base", None, "/base/a/b"),
        ("/", "/base", None, "/base"),
        ("/a/b", "/base/", None, "/base/a/b"),
        ("/a/b", None, "/a", "/b"),
        ("/a", None, "/a", "/"),
        ("/a/", "/base", "/a/", "/base/"),
        ("/a", "/base", "/a", "/base"),
        ("/ab", "/base", "/a", "/base/b"),
    ],
)
def test_the_upstreams_path(path: str, base: str | None, stripped: str | None, upstream: str) -> None:
    assert paths.upstream_path(path, base, stripped) == upstream

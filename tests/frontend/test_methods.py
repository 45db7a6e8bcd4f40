"""Pages and assets answer methods as RFC 9110 has them, and say which they know."""

import pytest

from frontend_proxy.pages.assets import takes_gzip
from tests.frontend.conftest import Front

READ, FORM, BOTH = "GET, HEAD, OPTIONS", "OPTIONS, POST", "GET, HEAD, OPTIONS, POST"
MEMBER = "/members/7f3b8a52-6c1e-4f0e-9a54-3a1f0a1b2c3d"
METHODS = {
    "/": READ,
    "/health": READ,
    "/health/ready": READ,
    "/static/x/y.css": READ,
    "/unavailable": READ,
    "/sign-in": BOTH,
    "/register": BOTH,
    "/sign-out": BOTH,
    "/language": FORM,
    "/account": BOTH,
    "/members": READ,
    "/members/new": BOTH,
    MEMBER: BOTH,
    f"{MEMBER}/delete": BOTH,
    "/api/auth/resume": BOTH,
}


@pytest.mark.parametrize(("path", "allow"), METHODS.items())
async def test_options_and_a_refused_method_name_every_method(front: Front, path: str, allow: str) -> None:
    async with front.browser.options(front.url + path) as answer:
        assert (answer.status, answer.headers["Allow"], await answer.read()) == (204, allow, b"")
    async with front.browser.delete(front.url + path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allow)
    assert front.auth.refreshes == 0


async def test_options_of_nothing_is_404(front: Front) -> None:
    async with front.browser.options(f"{front.url}/nowhere") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/", "/sign-in", "/health", "/nowhere", "/account"])
async def test_head_is_get_without_the_content(front: Front, path: str) -> None:
    url = front.url + path
    async with front.browser.get(url, allow_redirects=False) as got:
        await got.read()
    async with front.browser.head(url, allow_redirects=False) as answer:
        assert (answer.status, await answer.read()) == (got.status, b"")
    names = {"Content-Type", "Location", "Vary", "Allow"} & set(got.headers)
    assert {name: answer.headers[name] for name in names} == {name: got.headers[name] for name in names}


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*;q=0", False),
        ("br, gzipped", False),
        ("gzip;q=x", False),
        ("deflate, br", False),
    ],
)
def test_an_asset_is_compressed_for_who_takes_it(accepted: str, taken: bool) -> None:
    assert takes_gzip(accepted) is taken

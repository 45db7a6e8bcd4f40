"""Other sites can link here; they cannot act with, or read, a visitor's session."""

import pytest
from yarl import URL

from tests.frontend.conftest import Front, Start

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "none", "Origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    "path", ["/api/members", "/api/auth/login", "/api/auth/logout", "/sign-in", "/account"]
)
async def test_another_site_cannot_change_anything(front: Front, path: str, headers: dict[str, str]) -> None:
    await front.sign_in()
    calls = len(front.auth_server.seen)
    async with front.browser.post(front.url + path, data={"a": "b"}, headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["type"] == "/problems/cross-site-request"
    assert front.gateway.seen == []
    assert len(front.auth_server.seen) == calls


@pytest.mark.parametrize(("language", "words"), [("en", "another site"), ("ko", "다른 사이트")])
async def test_a_person_whom_another_sites_form_sent_here_reads_a_page(
    front: Front, language: str, words: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Accept": "text/html,*/*;q=0.8", "Accept-Language": language}
    async with front.browser.post(f"{front.url}/account", data={"a": "<b>"}, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (403, "text/html")
        html = await answer.text()
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert words in html and 'href="/"' in html
    assert answer.headers["X-Request-Id"] in html
    async with front.browser.post(f"{front.url}/api/members", data={}, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (403, "application/problem+json")


async def test_the_sites_own_pages_can(front: Front) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": front.url}
    async with front.browser.post(f"{front.url}/api/members", json={}, headers=headers) as answer:
        assert answer.status == 200


async def test_behind_a_tls_terminator_the_public_origin_counts(start: Start) -> None:
    front = await start(app_env="production", public_origin="https://shop.example")
    for origin, expected in (("https://shop.example", 200), ("http://shop.example", 403)):
        headers = {"Host": "shop.example", "Origin": origin}
        async with front.browser.post(f"{front.url}/api/members", json={}, headers=headers) as answer:
            assert answer.status == expected


async def test_another_site_can_link_here_but_not_load_data(front: Front) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with front.browser.get(f"{front.url}/sign-in", headers=link) as answer:
        assert answer.status == 200
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    for path in ("/api/home", "/%61pi/home", "/ap%69/home"):
        async with front.browser.get(URL(f"{front.url}{path}", encoded=True), headers=embedded) as answer:
            assert answer.status == 403, path
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert front.gateway.seen == []


async def test_a_cookie_that_a_sibling_domain_planted_beside_the_real_one_is_not_believed(
    front: Front,
) -> None:
    headers = {"Cookie": "access_token=planted; access_token=real"}
    async with front.browser.get(f"{front.url}/api/home", headers=headers):
        assert "Authorization" not in front.gateway.seen[0].headers


@pytest.mark.parametrize("value", ["a b", "a\tb", 'a"b', "é", "a" * 5000])
async def test_a_cookie_that_cannot_be_a_token_never_becomes_a_header(front: Front, value: str) -> None:
    headers = {"Cookie": f"access_token={value}"}
    async with front.browser.get(f"{front.url}/api/home", headers=headers):
        assert "Authorization" not in front.gateway.seen[0].headers


async def test_every_answer_carries_the_sites_rules(front: Front) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/api/home", "/health"):
        async with front.browser.get(front.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'") and "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("configured", ["https://shop.example:443", "https://Shop.Example./"])
@pytest.mark.parametrize("host", ["shop.example", "shop.example:443", "SHOP.example", "shop.example.:443"])
@pytest.mark.parametrize("origin", ["https://shop.example", "https://shop.example:443"])
async def test_every_spelling_of_the_public_origin_is_this_site(
    start: Start, configured: str, host: str, origin: str
) -> None:
    front = await start(app_env="production", public_origin=configured)
    headers = {"Host": host, "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    async with front.browser.post(f"{front.url}/api/members", json={}, headers=headers) as answer:
        assert answer.status == 200


async def test_an_origin_that_is_not_ascii_is_known_by_its_a_label(start: Start) -> None:
    front = await start(app_env="production", public_origin="https://쇼핑.example")
    headers = {"Host": "xn--hp4bo76a.example", "Origin": "https://xn--hp4bo76a.example"}
    async with front.browser.post(f"{front.url}/api/members", json={}, headers=headers) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "host", ["shop.example:80", "shop.example:8443", "shop.example.evil", "[::1]", "evil.shop.example"]
)
async def test_another_host_is_not_served(start: Start, host: str) -> None:
    front = await start(app_env="production", public_origin="https://shop.example")
    async with front.browser.get(f"{front.url}/", headers={"Host": host}) as answer:
        assert answer.status == 421


async def test_in_development_a_default_port_may_be_written(front: Front) -> None:
    headers = {"Host": "localhost:80", "Origin": "http://LOCALHOST"}
    async with front.browser.post(f"{front.url}/api/members", json={}, headers=headers) as answer:
        assert answer.status == 200

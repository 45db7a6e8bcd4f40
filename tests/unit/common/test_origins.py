"""Two spellings of one origin are one origin; what is no origin is refused."""

import pytest

from common import origins


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://shop.example:0443", "https://shop.example"),
        ("https://shop.example:", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("HTTPS://Shop.EXAMPLE", "https://shop.example"),
        ("https://shop.example.", "https://shop.example"),
        ("https://shop.example.:443", "https://shop.example"),
        ("https://쇼핑.example", "https://xn--hp4bo76a.example"),
        ("https://XN--HP4BO76A.example", "https://xn--hp4bo76a.example"),
        ("https://BÜCHER.example:443", "https://xn--bcher-kva.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://shop。example", "https://shop.example"),
        ("https://ｓｈｏｐ.example", "https://shop.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://[2001:DB8:0:0:0:0:0:1]:443", "https://[2001:db8::1]"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://frontend_proxy:3000", "http://frontend_proxy:3000"),
    ],
)
def test_an_origin_has_one_normal_form(text: str, normal: str) -> None:
    found = origins.parse(text)
    assert str(found) == normal
    assert origins.parse(normal) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "shop.example",
        "ftp://shop.example",
        "http://",
        "http://:80",
        "http://u@shop.example",
        "http://shop.example/",
        "http://shop.example/path",
        "http://shop.example?b",
        "http://shop.example#b",
        "http://shop.example:x",
        "http://shop.example:٣",
        "http://shop.example:0",
        "http://shop.example:65536",
        "http://shop..example",
        "http://.",
        "http://shop example",
        "http://shop.example\n",
        " http://shop.example",
        "http://[::1",
        "http://::1",
        "http://[::1%25eth0]",
        "http://[example]",
        "http://" + "a" * 64 + ".example",
        "https://shop.example, https://shop.example",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        origins.parse(text)


def test_a_setting_may_end_in_a_slash() -> None:
    assert str(origins.of_setting("https://shop.example:443/")) == "https://shop.example"
    with pytest.raises(ValueError, match="host"):
        origins.of_setting("https://shop.example//")


@pytest.mark.parametrize("authority", ["shop.example", "SHOP.example:443", "shop.example.:443"])
def test_a_host_header_is_read_by_its_scheme(authority: str) -> None:
    assert origins.of_authority("https", authority) == origins.parse("https://shop.example")
    assert origins.of_authority("http", authority) != origins.parse("https://shop.example")

"""URLs with credentials are read in one way, whatever the password; what is ambiguous is refused and never quoted."""

from urllib.parse import quote

import pytest

from common import address
from tests.nasty_passwords import PASSWORDS

SCHEMES = ("redis", "rediss")


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_comes_back_as_it_was_and_names_no_other_host(password: str) -> None:
    for url in (
        address.with_password("redis://auth@redis:6379/0", password, SCHEMES),
        address.with_password("redis://auth:other@redis:6379/0", password, SCHEMES),
        f"redis://auth:{quote(password, safe='')}@redis:6379/0",
    ):
        read = address.parse(url, SCHEMES)
        assert (read.user, read.password) == ("auth", password)
        assert (read.host, read.port, read.path, read.options) == ("redis", 6379, "/0", {})


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_pasted_into_a_url_is_read_as_it_is_or_refused(password: str) -> None:
    """Never another host, and never another password than the one percent-decoded."""
    try:
        read = address.parse(f"redis://auth:{password}@redis:6379/0", SCHEMES)
    except ValueError as refusal:
        assert len(password) < 2 or password not in str(refusal)
    else:
        assert read.host == "redis"
        assert quote(read.password or "", safe="") == quote(password, safe="%") or "%" in password


@pytest.mark.parametrize(
    "url",
    [
        "redis://auth:1/x@redis:6379/0",
        "redis://auth:1?x@redis:6379/0",
        "redis://auth:1#x@redis:6379/0",
        "redis://auth:x@evil@redis:6379/0",
        "redis://auth:[x@redis:6379/0",
        "redis://auth:x\ny@redis:6379/0",
        " redis://redis",
        "redis://",
        "http://redis",
        "redis:6379",
        "",
    ],
)
def test_what_two_programs_would_read_differently_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|its) ") as refusal:
        address.parse(url, SCHEMES)
    assert "evil" not in str(refusal.value)


def test_hosts_keep_their_form() -> None:
    assert address.parse("redis://[2001:db8::1]:6380/1", SCHEMES).host == "2001:db8::1"
    assert address.with_password("redis://u@[::1]/1", "a@b", SCHEMES) == "redis://u:a%40b@[::1]/1"
    assert address.with_password("redis://redis", "p", SCHEMES) == "redis://:p@redis"


SEVERAL = "postgresql://auth@pg-1:5432,pg-2:5433/auth?target_session_attrs=read-write"


def test_a_postgresql_may_be_several_hosts() -> None:
    read = address.parse(SEVERAL, ("postgresql",))
    assert (read.host, read.port, read.path) == ("pg-1", 5432, "/auth")
    with_password = address.with_password(SEVERAL, "a,b@c", ("postgresql",))
    assert with_password == SEVERAL.replace("auth@", "auth:a%2Cb%40c@")


@pytest.mark.parametrize("hosts", ["a:5432,b:many", "a:5432,", ",b:5432", "a,[b"])
def test_each_of_several_hosts_is_read(hosts: str) -> None:
    with pytest.raises(ValueError, match=r"^(it|its) "):
        address.parse(f"postgresql://auth@{hosts}/auth", ("postgresql",))


def test_a_redis_is_one_host() -> None:
    with pytest.raises(ValueError, match=r"^its port "):
        address.parse("redis://auth@a:6379,b:6379/0", SCHEMES)

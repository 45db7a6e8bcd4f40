"""What the plugins read out of a Redis address."""

import ssl

import pytest

from kong.plugins import redis_address


def test_an_address_with_everything() -> None:
    address = redis_address.parse("redis://auth:p%40ss%3A%2F@redis.internal:6380/3")
    assert (address.host, address.port, address.database) == ("redis.internal", 6380, 3)
    assert (address.user, address.password) == ("auth", "p@ss:/")
    assert address.tls is None
    assert address.greeting("me") == [
        (b"AUTH", b"auth", b"p@ss:/"),
        (b"CLIENT", b"SETNAME", b"me"),
        (b"SELECT", 3),
    ]


def test_an_address_with_nothing_but_a_host() -> None:
    address = redis_address.parse("redis://localhost")
    assert (address.host, address.port, address.database, address.password) == ("localhost", 6379, 0, None)
    assert address.greeting("me") == [(b"CLIENT", b"SETNAME", b"me")]


def test_a_password_without_a_user_is_the_default_users() -> None:
    assert redis_address.parse("redis://:secret@[::1]:1/0").greeting("me")[0] == (b"AUTH", b"secret")


def test_the_database_may_stand_in_the_query() -> None:
    assert redis_address.parse("redis://localhost?db=2").database == 2


def test_tls_checks_the_certificate_and_the_name() -> None:
    tls = redis_address.parse("rediss://localhost").tls
    assert tls is not None
    assert tls.check_hostname
    assert tls.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "url",
    [
        "http://u:hunter2@host",
        "redis://u:hunter2@",
        "redis://u:hunter2@host:port/0",
        "redis://u:hunter2@host/zero",
        "redis://u:hunter2@host?db=zero",
    ],
)
def test_what_makes_no_sense_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="Redis address") as refusal:
        redis_address.parse(url)
    assert "hunter2" not in str(refusal.value)

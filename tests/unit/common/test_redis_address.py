"""What services and plugins read out of a Redis address."""

import ssl
from pathlib import Path

import pytest

from common import address, redis_address
from services.chassis.redis import Redis


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
        "redis://u:hunter2@host?db=-1",
        "rediss://u:hunter2@host?ssl_cert_reqs=none",
        "redis://u:hunter2@host?cluster=yes",
        "redis://u:hunter2@host?cluster=true&sentinel=m",
        "redis://u:hunter2@host/1?cluster=true",
        "redis://u:hunter2@host?sentinel=m&also=other:port",
        "redis://u:hunter2@host?sentinel=m&also=:26379",
        "redis://hunter2@host",
        "unix:///run/redis.sock",
    ],
)
def test_what_makes_no_sense_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match="Redis address") as refusal:
        redis_address.parse(url)
    assert "hunter2" not in str(refusal.value)


def test_a_user_with_its_password_apart() -> None:
    url = address.with_password("redis://auth@redis/0", "p@ss word", redis_address.SCHEMES)
    assert redis_address.parse(url).greeting("me")[0] == (b"AUTH", b"auth", b"p@ss word")


def test_authorities_of_ones_own(tmp_path: Path) -> None:
    nothing = tmp_path / "ca.pem"
    nothing.write_text("no certificate")
    with pytest.raises(ValueError, match="ssl_ca_certs"):
        redis_address.parse(f"rediss://localhost?ssl_ca_certs={nothing}")
    with pytest.raises(FileNotFoundError):
        redis_address.parse("rediss://localhost?ssl_ca_certs=/no/such/file")


def test_a_service_connects_as_the_address_says() -> None:
    """Coredis' own reading of URLs checks no certificate's name."""
    url = "rediss://auth:p%40ss@[::1]:6380/3"
    address = redis_address.parse(url)
    given = Redis(url).client.connection_pool.connection_kwargs
    assert (given["username"], given["password"], given["db"]) == (address.user, address.password, 3)
    tls = given["ssl_context"]
    assert tls is not None
    assert tls.check_hostname
    assert tls.verify_mode is ssl.CERT_REQUIRED


def test_sentinels_and_nodes_of_a_cluster_may_be_several() -> None:
    address = redis_address.parse("redis://auth@one?sentinel=shop&also=two,three:1".replace("@", ":p@"))
    assert (address.sentinel, address.cluster) == ("shop", False)
    assert address.endpoints == (("one", 26379), ("two", 26379), ("three", 1))
    nodes = redis_address.parse("redis://one?cluster=true&also=two")
    assert nodes.cluster
    assert nodes.endpoints == (("one", 6379), ("two", 6379))


def test_a_server_that_was_found_is_spoken_to_as_the_same_user_over_tls() -> None:
    found = redis_address.parse("rediss://auth:p@one/2?sentinel=shop").of(("master", 6380))
    assert (found.host, found.port, found.user, found.password, found.database) == (
        "master",
        6380,
        "auth",
        "p",
        2,
    )
    assert found.tls is not None
    assert not found.sentinel

"""Callers without an account: what their keys may take up, and the promise that they keep."""

from typing import Any

import pytest

from kong.plugins.idempotency.anonymous import LARGEST_BODY, Admission, Limits, admit, network
from kong.plugins.idempotency.reservations import Claim
from tests.unit.idempotency.test_plugin import Gateway, MemoryStore, problem

SHARES = Limits(network=3, total=5, window=300)


def key(text: str) -> dict[str, Any]:
    return {"idempotency-key": text, "content-type": "application/json"}


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("what Kong says", "what Kong says"),
    ],
)
def test_a_client_does_not_leave_its_network_by_another_address_of_it(address: str, whose: str) -> None:
    assert network(address) == whose


async def test_one_network_has_its_share_and_takes_nothing_from_the_others() -> None:
    store = MemoryStore()
    asked = [await admit(store, SHARES, "203.0.113.7") for _ in range(50)]
    assert asked == [Admission.ADMITTED] * 3 + [Admission.NETWORK_FULL] * 47
    assert [await admit(store, SHARES, "203.0.113.8") for _ in range(2)] == [Admission.ADMITTED] * 2
    assert await admit(store, SHARES, "203.0.113.9") is Admission.TOTAL_FULL


async def test_a_flood_of_keys_from_one_network_keeps_so_many_and_is_told_to_wait() -> None:
    gateway = Gateway(anonymous_per_network=3, anonymous_ttl=60)
    for number in range(3):
        assert await gateway.send(gateway.request(key(f"k{number}"))) is None
    answer = await gateway.enter(gateway.request(key("k3")))
    problem(answer, 429, "idempotency-too-many-keys")
    assert answer is not None
    assert answer.headers["Retry-After"] == "60"
    assert (len(gateway.store.records), gateway.effects) == (3, 3)


async def test_whoever_is_signed_in_is_counted_nowhere() -> None:
    gateway = Gateway(anonymous_per_network=1, anonymous_in_total=1)
    for number in range(5):
        assert await gateway.send(gateway.request(key(f"k{number}") | {"x-user-id": "user-1"})) is None
    assert gateway.store.counted.total() == 0
    assert set(gateway.store.ttls) == {3600}


async def test_floods_from_everywhere_leave_keys_to_the_service_and_keep_nobody_out() -> None:
    gateway = Gateway(anonymous_in_total=2)
    for number in range(10):
        request = gateway.request(key("k"), client=f"203.0.113.{number}")
        assert await gateway.send(request) is None
    assert (len(gateway.store.records), gateway.effects) == (2, 10)


async def test_a_double_click_of_somebody_without_an_account_gets_the_first_answer_for_a_short_time() -> None:
    gateway = Gateway()
    assert await gateway.send(gateway.request(key("k"))) is None
    answer = await gateway.send(gateway.request(key("k")))
    assert answer is not None
    assert answer.status == 201
    assert gateway.store.ttls == [300]


async def test_a_short_ttl_is_not_lengthened_for_them() -> None:
    gateway = Gateway(ttl=20)
    await gateway.send(gateway.request(key("k")))
    assert gateway.store.ttls == [20]


async def test_a_large_answer_to_them_is_not_kept() -> None:
    gateway = Gateway()
    await gateway.send(gateway.request(key("k")), body=b"x" * (LARGEST_BODY + 1))
    problem(await gateway.send(gateway.request(key("k"))), 409, "idempotency-outcome-not-kept")
    assert max(map(len, gateway.store.records.values())) < 200


@pytest.mark.parametrize("anonymous", [False, True])
def test_a_claim_is_read_as_it_was_told(anonymous: bool) -> None:
    claim = Claim(b"idempotency:{k}", b"f" * 32, "owner", anonymous)
    assert Claim.parse(str(claim)) == claim

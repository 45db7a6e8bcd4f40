"""Which node of a cluster has a key, as Redis itself would say."""

import pytest

from common.access_tokens.revocations import mark_key
from common.redis_cluster import SlotMap, redirect, slot, slots

A, B, C = ("a", 1), ("b", 2), ("c", 3)


@pytest.mark.parametrize(
    ("key", "number"),
    # From the specification, and what CLUSTER KEYSLOT answers.
    [
        (b"123456789", 12739),
        (b"foo", 12182),
        (b"", 0),
        (b"{user1000}.following", 3443),
        (b"{user1000}.followers", 3443),
    ],
)
def test_a_keys_slot(key: bytes, number: int) -> None:
    assert slot(key) == number


def test_empty_braces_are_no_tag() -> None:
    assert slot(b"foo{}{bar}") != slot(b"bar")
    assert slot(b"foo{{bar}}zap") == slot(b"{bar")
    assert slot(b"foo{bar}{zap}") == slot(b"bar")


@pytest.mark.parametrize("stream", ["auth:revocations", "{auth}:revocations"])
def test_the_mark_is_on_the_node_of_its_stream(stream: str) -> None:
    assert slot(mark_key(stream, cluster=True).encode()) == slot(stream.encode())


def test_on_one_server_the_mark_has_the_name_that_it_always_had() -> None:
    assert mark_key("auth:revocations", cluster=False) == "auth:revocations:whole-in"


def test_each_slot_has_the_owner_that_was_told() -> None:
    found = SlotMap([(5461, 10922, B), (0, 5460, A), (10923, 16000, C)])
    assert [found.owner(number) for number in (0, 5460, 5461, 10922, 10923, 16000)] == [A, A, B, B, C, C]
    assert found.owner(16383) is None
    assert found.nodes == {A, B, C}
    assert SlotMap([]).owner(0) is None


def test_a_node_without_a_name_is_the_one_that_was_asked() -> None:
    answer = [[0, 100, [b"", 7000, b"id"], [b"replica", 7001, b"id"]], [101, 16383, [None, 7002, b"id"]]]
    found = slots(answer, ("door", 6379))
    assert found.owner(0) == ("door", 7000)
    assert found.owner(16383) == ("door", 7002)


def test_where_a_refusal_sends_us() -> None:
    assert redirect("MOVED 3999 10.0.0.1:6381", A) == (("10.0.0.1", 6381), False)
    assert redirect("ASK 3999 node.example:6381", A) == (("node.example", 6381), True)
    assert redirect("MOVED 3999 :6381", A) == (("a", 6381), False)
    assert redirect("MOVED 3999 2001:db8::1:6381", A) == (("2001:db8::1", 6381), False)
    assert redirect("NOPERM this user has no permissions", A) is None
    assert redirect("CLUSTERDOWN Hash slot not served", A) is None

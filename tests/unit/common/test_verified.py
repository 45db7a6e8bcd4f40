from common.access_tokens.verified import VerifiedTokens

KEYS = {"k": "key"}


def test_what_was_verified_counts_for_the_very_keys_until_it_expires() -> None:
    known: VerifiedTokens[str] = VerifiedTokens(2)
    known.put("token", KEYS, 100.0, "who")
    assert known.get("token", KEYS, 99.9) == "who"
    assert known.get("token", dict(KEYS), 99.9) is None
    known.put("token", KEYS, 100.0, "who")
    assert known.get("token", KEYS, 100.0) is None
    assert known.get("token", KEYS, 1.0) is None


def test_the_least_recently_used_goes_first() -> None:
    known: VerifiedTokens[str] = VerifiedTokens(2)
    known.put("a", KEYS, 9.0, "A")
    known.put("b", KEYS, 9.0, "B")
    assert known.get("a", KEYS, 1.0) == "A"
    known.put("c", KEYS, 9.0, "C")
    assert [known.get(token, KEYS, 1.0) for token in "abc"] == ["A", None, "C"]


def test_a_capacity_of_none_remembers_nothing_and_no_text_makes_it_fail() -> None:
    known: VerifiedTokens[str] = VerifiedTokens(0)
    known.put("a", KEYS, 9.0, "A")
    for text in ("a", "\udce9", "\ud800", "é"):
        assert known.get(text, KEYS, 1.0) is None

"""The life of a signing key: published, signing, still published, gone."""

import pytest

from services.auth.domain.keys import KeyTimes, Schedule

OLD = KeyTimes(kid="old", created_at=0, signs_from=0)
NEW = KeyTimes(kid="new", created_at=1000, signs_from=1600)
SCHEDULE = Schedule([NEW, OLD], outlives=660)


@pytest.mark.parametrize(
    ("now", "signing", "published"),
    [
        (1000, "old", {"old", "new"}),
        (1599.9, "old", {"old", "new"}),
        (1600, "new", {"old", "new"}),
        (2259.9, "new", {"old", "new"}),
        (2260, "new", {"new"}),
    ],
)
def test_a_key_is_published_before_it_signs_and_after_its_successor_does(
    now: float, signing: str, published: set[str]
) -> None:
    assert SCHEDULE.signing(now) == signing
    assert set(SCHEDULE.published(now)) == published


def test_whatever_signed_a_living_token_is_published() -> None:
    for signed_at in range(1000, 3000, 7):
        kid = SCHEDULE.signing(signed_at)
        for later in range(0, 660, 11):
            assert kid in SCHEDULE.published(signed_at + later)


def test_whoever_keeps_the_key_set_for_its_max_age_knows_what_signs() -> None:
    """A verifier may work from a set that it fetched up to 300 s ago (Cache-Control of the JWKS)."""
    lead, max_age = 600, 300
    schedule = Schedule([OLD, KeyTimes(kid="new", created_at=1000, signs_from=1000 + lead)], outlives=600)
    for now in range(1000 + max_age, 4000, 7):
        for fetched in range(now - max_age, now + 1, 13):
            # Before it was made, the new key was in nobody's set.
            known = set(schedule.published(fetched)) - ({"new"} if fetched < 1000 else set())
            assert schedule.signing(now) in known


def test_the_last_key_is_never_withdrawn() -> None:
    assert Schedule([OLD], 660).published(1e12) == ["old"]


def test_without_a_key_nothing_signs() -> None:
    assert Schedule([], 660).signing(0) is None
    assert Schedule([NEW], 660).signing(1000) is None

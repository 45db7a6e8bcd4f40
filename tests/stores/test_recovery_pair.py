"""A primary and its standby under devstack: the one that was killed follows again, and takes over in its turn."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest

from devstack.errors import PrepareError
from devstack.recovery import follower
from devstack.recovery.pair import Pair
from devstack.throwaway import temporary_directory

WITHIN = 60.0

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed"),
]


@pytest.fixture
def pair() -> Iterator[Pair]:
    with temporary_directory() as directory:
        made = Pair(directory, "the password: of the pair", synchronous=True)
        try:
            made.start()
            made.primary.ask("CREATE TABLE paid (number int)")
            yield made
        finally:
            made.discard()


def take_over(pair: Pair) -> None:
    pair.primary.kill()
    pair.take_over()
    pair.primary.ask("INSERT INTO paid VALUES (7)")  # waits for nobody


def test_one_that_was_killed_and_never_started_since_is_rewound(pair: Pair) -> None:
    take_over(pair)
    assert "one has nothing any more that other does not have" in pair.rejoin()
    pair.primary.ask("INSERT INTO paid VALUES (8)")  # waits for the second disk again
    assert pair.standby.ask("SELECT count(*) FROM paid") == "2"


def test_one_that_came_back_fenced_and_was_killed_again_is_rewound(pair: Pair) -> None:
    take_over(pair)
    pair.standby.start()
    with pytest.raises(PrepareError, match="read-only transaction"):
        pair.standby.ask("INSERT INTO paid VALUES (9)")
    pair.standby.kill()
    assert "has nothing any more" in pair.rejoin()


def test_the_one_that_follows_again_takes_over_in_turn(pair: Pair) -> None:
    take_over(pair)
    pair.rejoin()
    take_over(pair)
    assert pair.primary.name == "one"
    assert pair.primary.ask("SELECT count(*) FROM paid") == "2"


def test_one_that_is_fenced_takes_over_from_nobody(pair: Pair) -> None:
    take_over(pair)
    pair.standby.start()
    with pytest.raises(PrepareError, match="does not have what was written since"):
        pair.standby.promote(pair.primary)


def test_one_that_cannot_be_rewound_is_copied(pair: Pair) -> None:
    take_over(pair)
    (pair.standby.data / "global" / "pg_control").write_bytes(b"")
    with pytest.raises(PrepareError, match="of another database cluster"):
        pair.rejoin()
    (pair.standby.data / "PG_VERSION").unlink()  # as an empty volume
    assert "copying other" in pair.rejoin()


def test_a_region_that_was_taken_over_from_follows_by_a_new_copy(pair: Pair) -> None:
    """And one that follows already stays as it is."""
    take_over(pair)
    former = pair.standby
    for marked in (True, False):
        assert (former.data / follower.FENCED).exists() is marked
        follower.copy(former.server, pair.primary.address)
    former.start()
    until = f"SELECT pg_last_wal_replay_lsn() >= '{pair.primary.ask('SELECT pg_current_wal_lsn()')}'"
    give_up = time.monotonic() + WITHIN
    while former.ask(until) != "t":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert former.recovering()
    assert former.ask("SELECT count(*) FROM paid") == "1"


def test_a_region_that_was_taken_over_from_keeps_its_data_until_there_is_a_primary(pair: Pair) -> None:
    take_over(pair)
    former, address = pair.standby, pair.primary.address
    before = sorted(former.data.rglob("*"))
    pair.primary.kill()
    with pytest.raises(PrepareError, match=r"nothing was changed: .*does not answer"):
        follower.copy(former.server, address)
    pair.primary.fence()
    pair.primary.start()
    with pytest.raises(PrepareError, match=r"nothing was changed: .*takes no writes"):
        follower.copy(former.server, address)
    assert sorted(former.data.rglob("*")) == before


def test_one_on_its_way_up_is_promoted_once_it_answers(pair: Pair) -> None:
    """What a supervisor does that has just started it again."""
    pair.primary.kill()
    pair.standby.kill()
    pair.primary.fence()
    pair.standby.begin()
    pair.take_over()
    assert pair.primary.ask("SELECT pg_is_in_recovery()") == "f"

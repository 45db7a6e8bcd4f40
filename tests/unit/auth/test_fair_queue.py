"""Who is next for a hash and who gives way: callers are named by their network and a number."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.fair_queue import FairQueue


def joined(queue: FairQueue[str], *callers: str) -> list[str | None]:
    """Who was refused for each, when they came in this order and took the turns that were free."""
    refused = []
    for caller in callers:
        refused.append(queue.join(caller, caller[0]))
        queue.next()
    return refused


def served(queue: FairQueue[str], *leaving: str) -> list[str | None]:
    """Who was next, each time that one of these left."""
    order = []
    for caller in leaving:
        queue.leave(caller, caller[0])
        order.append(queue.next())
    return order


def test_networks_take_turns_and_callers_of_one_are_served_as_they_came() -> None:
    queue: FairQueue[str] = FairQueue(1, 9)
    joined(queue, "a1", "a2", "a3", "a4", "b1", "b2", "c1")
    assert served(queue, "a1", "b1", "c1", "a2", "b2", "a3") == ["b1", "c1", "a2", "b2", "a3", "a4"]


def test_whoever_comes_during_a_flood_is_next() -> None:
    queue: FairQueue[str] = FairQueue(2, 9)
    joined(queue, "a1", "a2", "a3", "a4", "a5")
    assert served(queue, "a1") == ["a3"]
    joined(queue, "b1")
    assert served(queue, "a2", "a3") == ["b1", "a4"]


def test_one_network_may_use_every_place() -> None:
    queue: FairQueue[str] = FairQueue(2, 2)
    assert joined(queue, "a1", "a2", "a3", "a4", "a5") == [None, None, None, None, "a5"]
    assert len(queue) == 4


def test_the_newest_of_the_network_with_the_most_places_gives_way() -> None:
    queue: FairQueue[str] = FairQueue(1, 5)
    joined(queue, "a1", "b1", "b2", "b3", "a2", "c1")
    assert joined(queue, "d1") == ["b3"]
    assert len(queue) == 6


def test_a_turn_under_way_counts_for_its_network_and_is_not_taken_from_it() -> None:
    queue: FairQueue[str] = FairQueue(1, 1)
    joined(queue, "a1", "a2")
    assert joined(queue, "b1", "c1") == ["a2", "c1"]
    assert served(queue, "a1", "b1") == ["b1", None]


def test_nobody_gives_way_to_a_network_that_would_have_as_many() -> None:
    queue: FairQueue[str] = FairQueue(1, 3)
    joined(queue, "a1", "a2", "b1", "b2")
    assert joined(queue, "a3", "b3") == ["a3", "b3"]
    assert joined(queue, "c1", "d1", "e1") == ["a2", "b2", "e1"]


def test_whoever_leaves_makes_room_and_is_not_called() -> None:
    queue: FairQueue[str] = FairQueue(1, 2)
    joined(queue, "a1", "a2", "b1")
    queue.leave("a2", "a")
    assert joined(queue, "a3") == [None]
    assert served(queue, "a1", "b1", "a3") == ["b1", "a3", None]
    assert len(queue) == 0


def test_with_nobody_allowed_to_wait_only_turns_are_places() -> None:
    queue: FairQueue[str] = FairQueue(1, 0)
    assert joined(queue, "a1", "a2", "b1") == [None, "a2", "b1"]


@given(
    turns=st.integers(1, 3),
    waiting=st.integers(0, 5),
    steps=st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.integers(0, 99)), max_size=120),
)
def test_whatever_comes_and_goes(turns: int, waiting: int, steps: list[tuple[str, bool, int]]) -> None:
    queue: FairQueue[str] = FairQueue(turns, waiting)
    inside: dict[str, bool] = {}  # who has a place, and whether it is a turn
    passed_over = {network: Counter[str]() for network in "abcd"}  # by whom, since their last turn
    for number, (network, joins, which) in enumerate(steps):
        if joins or not inside:
            caller = f"{network}{number}"
            refused = queue.join(caller, network)
            inside[caller] = False
            if refused is not None:
                assert len(inside) == turns + waiting + 1
                assert inside.pop(refused) is False
                places = Counter(one[0] for one in inside)
                if refused == caller:
                    assert all(turn or places[one[0]] <= places[network] + 1 for one, turn in inside.items())
                else:
                    assert places[refused[0]] >= places[network] > 0
        else:
            caller = list(inside)[which % len(inside)]
            del inside[caller]
            queue.leave(caller, caller[0])
        called = queue.next()
        if called is not None:
            assert inside[called] is False
            assert not [one for one in inside if one[0] == called[0] and not inside[one]].index(called)
            inside[called] = True
            passed_over[called[0]].clear()
        for other, others in passed_over.items():
            if not any(one[0] == other and not inside[one] for one in inside):
                others.clear()
            elif called is not None and called[0] != other:
                others[called[0]] += 1
                assert others[called[0]] == 1
        assert len(queue) == len(inside)
        assert sum(inside.values()) == min(turns, len(inside))
    for caller in list(inside):
        queue.leave(caller, caller[0])
    assert len(queue) == 0
    assert queue.next() is None

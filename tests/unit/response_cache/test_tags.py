"""What stands, by what is known of the stream."""

from kong.plugins.response_cache.tags import MOST_TAGS, AsOf, Moves


def moves() -> Moves:
    known = Moves()
    known.forget(AsOf("redis", (10, 0)))
    return known


def test_an_answer_stands_until_one_of_its_tags_moves() -> None:
    known = moves()
    then = known.now
    assert known.stand({"a", "b"}, then)
    known.learn((11, 0), ["c"])
    assert known.stand({"a", "b"}, then)
    known.learn((11, 1), ["b"])
    assert not known.stand({"a", "b"}, then)
    assert known.stand({"a", "b"}, known.now)


def test_all_is_everybodys_tag() -> None:
    known = moves()
    then = known.now
    known.learn((11, 0), ["*"])
    assert not known.stand(set(), then)
    assert known.stand(set(), known.now)


def test_what_is_of_another_redis_or_before_a_gap_stands_no_longer() -> None:
    known = moves()
    then = known.now
    known.forget(AsOf("redis", (12, 0)))
    assert not known.stand({"a"}, then)
    known.forget(AsOf("another", (12, 0)))
    assert not known.stand({"a"}, AsOf("redis", (99, 0)))


def test_more_tags_than_are_remembered_make_everything_unknown() -> None:
    known = moves()
    then = known.now
    for number in range(MOST_TAGS + 1):
        known.learn((11, number), [str(number)])
    assert not known.stand({"never moved"}, then)
    assert known.stand({"never moved"}, known.now)

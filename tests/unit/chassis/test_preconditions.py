import pytest

from services.chassis import preconditions
from services.chassis.errors import BadRequest, PreconditionRequired


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"3"', {3}),
        (' "3" , "4" ', {3, 4}),
        ('W/"3"', set()),
        ('"3", W/"4"', {3}),
        ('"another-server"', set()),
        ('"٣"', set()),
        ('"99999999999999999999"', set()),
    ],
)
def test_only_strong_tags_of_ours_match(header: str, expected: set[int]) -> None:
    found = preconditions.versions(header)
    assert found is not None
    assert set(found) == expected


def test_a_star_matches_any_version() -> None:
    assert preconditions.versions("*") is None


def test_what_was_written_is_matched() -> None:
    assert preconditions.versions(preconditions.etag(12)) == frozenset({12})


def test_a_missing_header_is_refused_where_it_is_required() -> None:
    with pytest.raises(PreconditionRequired):
        preconditions.versions(None)
    assert preconditions.versions(None, required=False) is None


@pytest.mark.parametrize("header", ["3", "", ",", '"3', '"3" "4"', '*, "3"', '"a b"'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        preconditions.versions(header)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "expected"),
    [
        ('"3"', "*", set()),
        ("*", " * ", set()),
        ('"3", "4"', '"3"', {4}),
        ('"3"', 'W/"3"', set()),
        ('"3"', '"another"', {3}),
    ],
)
def test_a_change_is_judged_by_both_headers(if_match: str, if_none_match: str, expected: set[int]) -> None:
    found = preconditions.versions(if_match, if_none_match)
    assert found is not None
    assert set(found) == expected


@pytest.mark.parametrize(("if_match", "if_none_match"), [("*", '"3"'), ('"3"', "3"), ('"3"', "")])
def test_what_cannot_be_judged_is_refused(if_match: str, if_none_match: str) -> None:
    with pytest.raises(BadRequest):
        preconditions.versions(if_match, if_none_match)

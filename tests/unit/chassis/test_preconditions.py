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

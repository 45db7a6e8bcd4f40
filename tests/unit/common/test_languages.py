import pytest

from common.languages import preferred


@pytest.mark.parametrize(
    ("chosen", "accepted", "expected"),
    [
        (None, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        (None, "en-US,en;q=0.9,ko;q=0.8", "en"),
        (None, "fr, ko;q=0.5, en;q=0.4", "ko"),
        (None, "ko;q=0, en;q=0.1", "en"),
        (None, "", "en"),
        (None, "*;;q=x,,", "en"),
        ("ko", "en", "ko"),
        ("tlh", "ko", "ko"),
    ],
)
def test_the_choice_counts_first_then_what_the_browser_prefers(
    chosen: str | None, accepted: str, expected: str
) -> None:
    assert preferred(chosen, accepted) == expected

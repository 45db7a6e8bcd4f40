"""A product's page is measured from the gateway's cache, or not at all."""

import pytest

from bench.product_page import not_kept


@pytest.mark.parametrize("said", ["gatehouse; hit; ttl=297", "gatehouse; hit; ttl=-3"])
def test_an_answer_from_the_cache_is_measured(said: str) -> None:
    assert not_kept(said) is None


@pytest.mark.parametrize(
    "said",
    [
        "",
        "gatehouse; fwd=miss; stored",
        "gatehouse; fwd=bypass; detail=store",
        "gatehouse; fwd=miss; detail=hit-rate",
    ],
)
def test_anything_else_is_told_in_a_sentence(said: str) -> None:
    assert (said or "none") in (not_kept(said) or "")

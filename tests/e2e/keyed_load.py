"""A steady stream of keyed POSTs at the gateway, for as long as a block runs."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from tests.e2e import people
from tests.e2e.callers import Answers, calling

CALLERS = 4


@contextmanager
def keyed_posts(
    url: str, headers: Mapping[str, str], verify: ssl.SSLContext | bool = True
) -> Iterator[Answers]:
    """New members at `url`, each with a key of its own, from several callers at once until the block ends."""
    answers = Answers()
    with httpx.Client(verify=verify, timeout=30) as client:

        def post() -> httpx.Response:
            keyed = {**headers, "Idempotency-Key": people.new_key()}
            return client.post(url, json=people.new_member(), headers=keyed)

        with calling(lambda: answers.of(post), CALLERS):
            yield answers

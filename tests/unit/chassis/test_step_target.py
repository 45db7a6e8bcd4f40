"""A step target: the message is delivered when its answer was taken, and not before."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import pytest

from common.http_client import Answer as HttpAnswer
from common.http_client import CallFailed, HttpClient
from services.chassis.outbox import Answer, OutboxMessage, StepTarget

MESSAGE = OutboxMessage(
    id=7,
    aggregate="order:1:catalog",
    target="catalog",
    method="PUT",
    path="/internal/reservations/1",
    body=b"{}",
    request_id="",
    attempts=0,
    refusals=0,
    created_at=datetime(2026, 11, 27, tzinfo=UTC),
    dead_letter_at=None,
    last_error="",
)


class Client:
    def __init__(self, status: int | None) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}

    async def call(self, method: str, url: str, *, headers: Mapping[str, str], **_: object) -> HttpAnswer:
        self.headers = headers
        if self.status is None:
            raise CallFailed("no answer within 3 s")
        return HttpAnswer(self.status, b'{"state": "held"}')


class Taken:
    def __init__(self, fault: Exception | None = None) -> None:
        self.answers: list[tuple[int, int, bytes]] = []
        self._fault = fault

    async def __call__(self, message: OutboxMessage, status: int, body: bytes) -> None:
        if self._fault is not None:
            raise self._fault
        self.answers.append((message.id, status, body))


def target(client: Client, taken: Taken) -> StepTarget:
    return StepTarget(
        cast(HttpClient, client), "http://catalog", internal_key="k" * 16, take=taken, outcomes={409}
    )


@pytest.mark.parametrize(
    ("status", "answer", "takes"),
    [
        (200, Answer.TAKEN, True),
        (409, Answer.TAKEN, True),
        (404, Answer.REFUSED, False),
        (503, Answer.NOT_NOW, False),
        (401, Answer.NOT_NOW, False),
        (None, Answer.NOT_NOW, False),
    ],
)
async def test_only_outcomes_are_taken(status: int | None, answer: Answer, takes: bool) -> None:
    client, taken = Client(status), Taken()
    assert (await target(client, taken)(MESSAGE))[0] is answer
    assert taken.answers == ([(7, status, b'{"state": "held"}')] if takes else [])
    assert client.headers["X-Message-Sequence"] == "7"


async def test_an_answer_that_is_not_as_agreed_ends_as_a_dead_letter() -> None:
    made, text = await target(Client(200), Taken(ValueError("state is 'lost'")))(MESSAGE)
    assert (made, text) == (Answer.REFUSED, "the answer is not as agreed: state is 'lost'")


async def test_an_answer_that_could_not_be_stored_is_asked_for_again() -> None:
    with pytest.raises(RuntimeError):  # which the delivery takes for "not now"
        await target(Client(200), Taken(RuntimeError("the database is down")))(MESSAGE)

"""Every way in which a phase can end has one answer, and none lets a request on that was not decided."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from devstack.kongside.client import Exited, Finished, PluginServerError, kong_config
from kong.plugins.runtime.wire import tagged, tagged_integer
from tests.kongside.served import ServedPlugin, request, serving
from tests.protocol.trial_plugins.trial.plugin import STUBBORN_S
from tests.waiting import WITHIN

DEADLINE = 0.5
"""Seconds that a phase may take, where a test waits for its end."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["trial", "trial-at-once"])
async def trial(request: pytest.FixtureRequest) -> AsyncIterator[ServedPlugin]:
    async with serving(request.param, "--deadline", str(WITHIN), "--max-events", "40") as served:
        yield served


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_phase_that_returns_lets_the_request_on_with_its_statements(trial: ServedPlugin) -> None:
    pdk = request()
    assert await trial.run(pdk, own={"greeting": "hi"}) == Finished()
    assert pdk["upstream"] == {"x-greeting": "hi"}


async def test_exit_answers_the_client_and_repeats_a_header_that_is_a_list(trial: ServedPlugin) -> None:
    assert await trial.run(request(x_do="exit")) == Exited(418, b"teapot", {"X-Two": ["a", "b"]})


async def test_an_answer_that_is_handed_over_lets_the_request_on_and_keeps_the_connection(
    trial: ServedPlugin,
) -> None:
    client, config = trial.client(), kong_config(trial.name, {})
    for _ in range(2):
        shared: dict[str, Any] = {}
        pdk = request(x_do="hand over")
        pdk["kong.ctx.shared.set"] = shared.__setitem__
        assert await client.handle_event(config, "access", pdk) == Finished()
        assert shared["answer"] == {
            "status": 418,
            "body": "tea\udcff",
            "headers": {"X-Two": ["a", "b"], "X-Many": "c" * 300},
        }


async def test_exit_stands_though_the_phase_goes_on_to_clear_up(trial: ServedPlugin) -> None:
    assert await trial.run(request(x_do="exit and go on")) == Exited(418, b"", {})


@pytest.mark.parametrize(
    ("do", "phase"),
    [
        ("raise", "access"),
        ("raise after sleep", "access"),
        ("system exit", "access"),
        ("question in another task", "access"),
        ("no such thing", "access"),
        ("raise in response", "response"),
    ],
)
async def test_an_exception_is_a_500_problem_and_no_statement_is_sent(
    trial: ServedPlugin, do: str, phase: str
) -> None:
    pdk = request(x_do=do)
    answer = await trial.run(pdk, phase)
    assert isinstance(answer, Exited)
    assert answer.status == 500
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["status"], problem["instance"], problem["request_id"]) == (
        500,
        "/some/path",
        "the-request-id",
    )
    assert pdk["upstream"] == {}


async def test_an_exception_before_the_first_call_is_a_500_too(trial: ServedPlugin) -> None:
    answer = await trial.run(request(), own={"greeting": "raise at once"})
    assert isinstance(answer, Exited)
    assert answer.status == 500


@pytest.mark.parametrize("do", ["hang", "hang stubbornly"])
async def test_a_phase_that_does_not_end_is_a_503_at_its_deadline(trial: ServedPlugin, do: str) -> None:
    async with serving(trial.name, "--deadline", str(DEADLINE)) as served:
        began = time.monotonic()
        answer = await served.run(request(x_do=do))
        assert isinstance(answer, Exited)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        assert DEADLINE <= time.monotonic() - began < STUBBORN_S, "before the phase has an end"
        served.process.kill()  # which would be waited for


async def test_a_plugin_may_set_its_own_deadline(trial: ServedPlugin) -> None:
    began = time.monotonic()
    answer = await trial.run(request(x_do="hang"), own={"deadline": 0.1})
    assert isinstance(answer, Exited)
    assert answer.status == 503
    assert time.monotonic() - began < WITHIN, "the server's"


async def test_a_refusal_does_not_wait_for_a_kong_that_answers_nothing(trial: ServedPlugin) -> None:
    pdk = request()
    pdk["kong.request.get_header"] = lambda name: asyncio.sleep(DEADLINE + 2.0)  # Kong stands still
    answer = await trial.run(pdk, own={"deadline": DEADLINE})
    assert isinstance(answer, Exited)
    assert answer.status == 503


async def test_other_waits_than_for_kong_keep_their_order_with_calls(trial: ServedPlugin) -> None:
    assert await trial.run(request(x_do="mixed")) == Exited(200, b"mixed /some/path", {})


async def test_asyncio_timeout_works_around_a_question(trial: ServedPlugin) -> None:
    slow: Any = request(x_do="timeout around question")
    slow["kong.client.get_ip"] = lambda: asyncio.sleep(2.0, "192.0.2.1")
    assert await trial.run(slow, own={"patience": 0.05}) == Exited(200, b"timed out", {})
    fast = request(x_do="timeout around question")
    assert await trial.run(fast, own={"patience": WITHIN}) == Exited(200, b"answered", {})


async def test_asyncio_timeout_works_around_another_wait(trial: ServedPlugin) -> None:
    assert await trial.run(request(x_do="timeout around sleep")) == Exited(200, b"timed out /some/path", {})


async def test_a_phase_asks_nothing_that_was_asked_before_it_began(trial: ServedPlugin) -> None:
    asked: list[str] = []
    pdk = request(x_do="gather")

    def answer(name: str) -> str:
        asked.append(name)
        return "gather"

    pdk["kong.request.get_header"] = answer
    assert await trial.run(pdk) == Exited(200, b"GET /some/path 4", {})
    assert asked == ["x-do"]


async def test_gather_asks_several_questions_at_once(trial: ServedPlugin) -> None:
    assert await trial.run(request(x_do="gather")) == Exited(200, b"GET /some/path 4", {})


async def test_a_task_that_outlives_its_phase_cannot_touch_the_next_request(trial: ServedPlugin) -> None:
    client, config = trial.client(), kong_config(trial.name, {})
    assert await client.handle_event(config, "access", request(x_do="leak")) == Finished()
    following = request(x_do="sleep")
    assert await client.handle_event(config, "access", following) == Finished()
    assert "x-late" not in following["upstream"]
    answer = await client.handle_event(config, "access", request(x_do="reap"))
    assert isinstance(answer, Exited)
    assert answer.body == b"EventOverError"


async def test_a_call_that_kong_refuses_fails_the_event_and_harms_no_other(trial: ServedPlugin) -> None:
    pdk = request()
    del pdk["kong.service.request.set_header"]
    with pytest.raises(PluginServerError, match="not found"):
        await trial.run(pdk)
    assert await trial.run(request()) == Finished()


async def test_a_client_that_goes_away_cancels_the_phase(trial: ServedPlugin) -> None:
    instance = await trial.client().start_instance(trial.name, kong_config(trial.name, {}))
    wire = await trial.wire()
    await wire.write(tagged_integer(1, 7) + tagged(36, tagged_integer(1, instance) + tagged(2, b"access")))
    assert await wire.read() == b"kong.request.get_header"
    wire.close()
    assert await trial.run(request()) == Finished()


async def test_more_events_than_allowed_are_answered_503_at_once(trial: ServedPlugin) -> None:
    # Forty hang until their deadline, so that all sixty meet however slow the machine is.
    client, config = trial.client(), kong_config(trial.name, {"deadline": 3.0})
    await client.handle_event(config, "access", request())
    answers = await asyncio.gather(
        *(client.handle_event(config, "access", request(x_do="hang")) for _ in range(60))
    )
    exited = [answer for answer in answers if isinstance(answer, Exited)]
    assert {answer.status for answer in exited} == {503}
    refused = len([answer for answer in exited if b"too many requests at once" in answer.body])
    assert refused in {20, 21}, "the first event was answered, and may not have left yet"


async def test_many_connections_run_their_events_at_the_same_time(trial: ServedPlugin) -> None:
    client, config = trial.client(), kong_config(trial.name, {})
    await client.handle_event(config, "access", request())
    asked, all_asked = 0, asyncio.Event()

    async def answer_when_all_have_asked(_: str) -> None:
        nonlocal asked
        asked += 1
        if asked == 30:
            all_asked.set()
        await all_asked.wait()

    pdk = request() | {"kong.request.get_header": answer_when_all_have_asked}
    answers = await asyncio.gather(*(client.handle_event(config, "access", pdk) for _ in range(30)))
    assert answers == [Finished()] * 30

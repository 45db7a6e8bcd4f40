"""What a keyed request gets, sentence by sentence of the design's table, with the store in memory."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from common.redis_link import StoreUnavailableError
from kong.plugins.idempotency import reservations
from kong.plugins.idempotency.config import Config
from kong.plugins.idempotency.plugin import Plugin
from kong.plugins.idempotency.reservations import Reservations
from kong.plugins.runtime import configuration
from kong.plugins.runtime.errors import ConfigError
from kong.plugins.waiting import Waiting
from tests.fake_kong import Answer, FakeKong
from tests.waiting import until

CONFIG: dict[str, Any] = {"redis_url": "redis://redis:6379/0"}
KEY = {"idempotency-key": "abc", "x-user-id": "user-1", "content-type": "application/json"}
REPLAYED: dict[str, Any] = {"Idempotent-Replayed": "true", "X-Idempotency-Replayed": "true"}


class MemoryStore:
    """The store's contract, without leases that end by themselves."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.ttls: list[float] = []
        self.error: StoreUnavailableError | None = None
        self.counted: Counter[bytes] = Counter()

    async def count(self, name: bytes, window: float) -> int:
        self._fail()
        self.counted[name] += 1
        return self.counted[name]

    async def reserve(self, key: bytes, reservation: bytes, lease: float) -> tuple[bytes, float] | None:
        self._fail()
        found = self.records.setdefault(key, reservation)
        return None if found == reservation else (found, lease)

    async def complete(self, key: bytes, reservation: bytes, completion: bytes, ttl: float) -> bool:
        self._fail()
        found = self.records.get(key)
        if found is None or found == reservation:
            self.records[key] = completion
            self.ttls.append(ttl)
        return found == reservation

    async def release(self, key: bytes, reservation: bytes) -> bool:
        self._fail()
        if self.records.get(key) != reservation:
            return False
        del self.records[key]
        return True

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


def made(given: dict[str, Any]) -> Plugin:
    """The plugin of what Kong sends, as the runtime makes it."""
    return Plugin(configuration.read(Config, given))


class Gateway:
    """A route with the plugin, before an upstream that counts what reaches it."""

    def __init__(self, **changes: Any) -> None:
        self.plugin = made(CONFIG | changes)
        self.store = MemoryStore()
        config = self.plugin.config
        self.plugin._reservations = Reservations(
            self.store,
            lease=config.lock_ttl,
            wait=config.wait,
            ttl=config.ttl,
            anonymous_ttl=config.anonymous_ttl,
        )
        self.plugin._counts = self.store
        self.effects = 0
        self._requests = 0

    def request(self, headers: dict[str, Any] | None = None, **facts: Any) -> FakeKong:
        self._requests += 1
        facts = {"method": "POST", "path": "/api/members", "body": b'{"name":"Ada"}'} | facts
        return FakeKong(
            headers=dict(KEY if headers is None else headers), request_id=f"{self._requests:032x}", **facts
        )

    async def enter(self, kong: FakeKong) -> Answer | None:
        """Runs access; None where the request goes upstream."""
        answer = await kong.run(self.plugin, "access")
        self.effects += answer is None
        return answer

    async def leave(
        self,
        kong: FakeKong,
        status: int = 201,
        body: bytes = b'{"id":1}',
        headers: dict[str, Any] | None = None,
    ) -> None:
        """The upstream has answered: runs response."""
        kong.status, kong.response_body = status, body
        kong.response_headers = {"content-type": "application/json"} if headers is None else headers
        assert await kong.run(self.plugin, "response") is None, "an answer of the upstream is never replaced"

    async def send(self, kong: FakeKong | None = None, **outcome: Any) -> Answer | None:
        """A whole request; None where the upstream answered it."""
        kong = kong or self.request()
        answer = await self.enter(kong)
        if answer is None:
            await self.leave(kong, **outcome)
        return answer


def problem(answer: Answer | None, status: int, name: str) -> dict[str, Any]:
    assert answer is not None
    assert answer.status == status
    document = answer.problem()
    assert document["type"] == f"/problems/{name}"
    assert isinstance(document["retryable"], bool)
    assert document["request_id"]
    return document


async def test_without_a_key_nothing_happens() -> None:
    gateway = Gateway()
    for _ in range(2):
        assert await gateway.send(gateway.request({"content-type": "application/json"})) is None
    assert not gateway.store.records


async def test_where_keys_are_rare_only_the_headers_are_asked_for() -> None:
    gateway = Gateway()
    await gateway.send(gateway.request({}))
    kong = gateway.request({})
    await gateway.send(kong)
    assert kong.calls == ["kong.request.get_headers", "kong.ctx.shared.get"]
    keyed = gateway.request()
    await gateway.send(keyed)
    assert await gateway.send() is not None


async def test_the_first_request_goes_upstream_and_its_repeat_gets_the_same_answer() -> None:
    gateway = Gateway()
    body = bytes(range(256))
    headers = {
        "content-type": "application/octet-stream",
        "location": "/api/members/1",
        "link": ["<a>", "<b>"],
    }
    assert await gateway.send(status=201, body=body, headers=headers) is None
    answer = await gateway.send()
    assert answer == Answer(201, body, headers | REPLAYED)
    assert gateway.effects == 1


async def test_where_keys_are_usual_each_phase_asks_once() -> None:
    gateway = Gateway()
    first, repeat = gateway.request(), gateway.request()
    await gateway.enter(first)
    assert first.writes == 1
    await gateway.leave(first)
    assert first.writes == 2
    await gateway.enter(repeat)
    assert repeat.writes == 1


async def test_what_is_kept_of_a_request_depends_on_the_gateways_own_password() -> None:
    """Who reads Redis but not this password has nothing to try guesses at a body against."""
    records = []
    for password in ("one", "another", "one"):
        gateway = Gateway(redis_url=f"redis://idempotency:{password}@redis:6379/0")
        await gateway.enter(gateway.request())
        records.append(next(iter(gateway.store.records.values())))
    assert records[0] == records[2] != records[1]


async def test_either_header_and_a_quoted_key_name_the_same_request() -> None:
    gateway = Gateway()
    await gateway.send()
    for headers in ({"x-idempotency-key": "abc"}, {"idempotency-key": '"abc"'}):
        answer = await gateway.send(gateway.request(KEY | {"idempotency-key": "abc"} | headers))
        assert answer is not None
        assert answer.status == 201


@pytest.mark.parametrize(
    "facts",
    [
        {"body": b'{"name":"Ida"}'},
        {"body": b""},
        {"path": "/api/members?notify=no"},
        {"headers": KEY | {"content-type": "text/plain"}},
        {"headers": KEY | {"content-type": "application/json", "content-encoding": "gzip"}},
    ],
)
@pytest.mark.parametrize("finished", [True, False])
async def test_the_same_key_with_another_request_is_refused(facts: dict[str, Any], finished: bool) -> None:
    gateway = Gateway()
    first = gateway.request()
    await gateway.enter(first)
    if finished:
        await gateway.leave(first)
    answer = await gateway.enter(gateway.request(**facts))
    assert problem(answer, 422, "idempotency-key-reused")["retryable"] is False
    assert gateway.effects == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"headers": KEY | {"x-user-id": "user-2"}},
        {"headers": {name: value for name, value in KEY.items() if name != "x-user-id"}},
        {"method": "PUT"},
        {"path": "/api/orders"},
        {"headers": KEY | {"idempotency-key": "abd"}},
    ],
)
async def test_another_caller_method_path_or_key_is_another_request(facts: dict[str, Any]) -> None:
    gateway = Gateway()
    await gateway.send()
    assert await gateway.send(gateway.request(**facts)) is None
    assert gateway.effects == 2


async def test_callers_without_an_account_are_told_apart_by_address() -> None:
    gateway, anonymous = Gateway(), {"idempotency-key": "abc"}
    await gateway.send(gateway.request(anonymous, client="192.0.2.1"))
    assert await gateway.send(gateway.request(anonymous, client="192.0.2.2")) is None
    assert await gateway.send(gateway.request(anonymous | {"x-user-id": "192.0.2.1"})) is None
    assert await gateway.send(gateway.request(anonymous, client="192.0.2.1")) is not None


async def test_what_is_judged_behind_the_gateway_tells_callers_of_one_address_apart() -> None:
    gateway, key = Gateway(), {"idempotency-key": "abc"}
    alice, bob = key | {"authorization": "Bearer alice"}, key | {"authorization": "Bearer bob"}
    assert await gateway.send(gateway.request(alice)) is None
    assert await gateway.send(gateway.request(bob)) is None
    assert await gateway.send(gateway.request(key)) is None
    assert await gateway.send(gateway.request(alice | {"authorization": " Bearer alice\t"})) is not None
    assert gateway.effects == 3


@pytest.mark.parametrize("name", ["apikey", "x-api-key", "x-credential-identifier"])
async def test_an_api_key_tells_callers_of_one_address_apart(name: str) -> None:
    gateway, key = Gateway(), {"idempotency-key": "abc"}
    assert await gateway.send(gateway.request(key | {name: "alice"})) is None
    assert await gateway.send(gateway.request(key | {name: "bob"})) is None
    assert await gateway.send(gateway.request(key | {name: "alice"})) is not None
    assert gateway.effects == 2


async def test_another_cookie_neither_gets_somebodys_answer_nor_a_second_effect() -> None:
    gateway, key = Gateway(), {"idempotency-key": "abc"}
    assert await gateway.send(gateway.request(key | {"cookie": "session=alice"})) is None
    for other in ({"cookie": "session=bob"}, {}):
        answer = await gateway.send(gateway.request(key | other))
        assert answer is not None
        assert answer.status == 422
    assert await gateway.send(gateway.request(key | {"cookie": "session=alice"})) is not None
    assert gateway.effects == 1


async def test_an_accounts_cookies_are_nobodys_name() -> None:
    gateway = Gateway()
    assert await gateway.send(gateway.request(KEY | {"cookie": "seen=1"})) is None
    answer = await gateway.send(gateway.request(KEY | {"cookie": "seen=2"}))
    assert answer is not None
    assert answer.status == 201


async def test_one_path_of_two_services_is_two_requests() -> None:
    gateway = Gateway()
    assert await gateway.send(gateway.request(service="shop-a")) is None
    assert await gateway.send(gateway.request(service="shop-b")) is None
    assert gateway.effects == 2


async def test_a_gateway_that_is_asked_for_each_part_says_the_same_of_a_request() -> None:
    """So that a repeat finds its key before and after Kong has the variable that puts the parts together."""
    gateway = Gateway()
    facts: dict[str, Any] = {
        "path": "/api/members?a=%20b",
        "upstream_host": "A.example",
        "service": "members",
    }
    for first, then in ((True, False), (False, True)):
        assert await gateway.send(gateway.request(summary=first, **facts)) is None
        repeat = await gateway.send(gateway.request(summary=then, **facts))
        assert repeat is not None
        assert (repeat.status, repeat.headers["Idempotent-Replayed"]) == (201, "true")
        gateway.store.records.clear()


async def test_a_keyed_request_takes_three_questions_and_its_answer_four() -> None:
    gateway = Gateway()
    kong = gateway.request()
    await gateway.enter(kong)
    assert kong.calls == [
        *("kong.request.get_headers", "kong.nginx.get_var", "kong.request.get_raw_body"),
        "kong.ctx.shared.set",
    ]
    kong.calls.clear()
    await gateway.leave(kong)
    assert len(kong.calls) == 4


async def test_where_the_gateway_has_no_function_for_answers_a_repeat_reaches_nobody() -> None:
    gateway = Gateway()
    first, repeat = gateway.request(), gateway.request(answers=False)
    await gateway.send(first)
    assert await gateway.enter(repeat) is None
    assert (first.sent_to, repeat.sent_to) == (None, ("127.0.0.1", 0))


async def test_a_host_that_the_service_is_told_of_belongs_to_the_request() -> None:
    gateway = Gateway()
    assert await gateway.send(gateway.request(upstream_host="a.example")) is None
    answer = await gateway.send(gateway.request(upstream_host="b.example"))
    assert answer is not None
    assert answer.status == 422
    assert gateway.effects == 1


async def test_consumers_of_kongs_own_plugins_are_callers() -> None:
    gateway, key = Gateway(), {"idempotency-key": "abc"}
    alice, bob = key | {"x-consumer-id": "alice"}, key | {"x-consumer-id": "bob"}
    assert await gateway.send(gateway.request(alice, client="192.0.2.1")) is None
    assert await gateway.send(gateway.request(bob, client="192.0.2.1")) is None
    assert await gateway.send(gateway.request(alice, client="192.0.2.2")) is not None
    assert not gateway.store.counted


async def test_a_consumer_for_everybody_is_nobody() -> None:
    gateway = Gateway()
    nobody = {"idempotency-key": "abc", "x-consumer-id": "all", "x-anonymous-consumer": "true"}
    assert await gateway.send(gateway.request(nobody, client="192.0.2.1")) is None
    assert await gateway.send(gateway.request(nobody, client="192.0.2.2")) is None
    assert gateway.store.counted


async def test_one_path_spelt_in_two_ways_is_one_path() -> None:
    gateway = Gateway()
    await gateway.send()
    answer = await gateway.send(gateway.request(path="/api//members"))
    assert answer is not None
    assert answer.status == 201


async def test_a_concurrent_repeat_is_told_to_come_back() -> None:
    gateway = Gateway()
    await gateway.enter(gateway.request())
    answer = await gateway.enter(gateway.request())
    assert problem(answer, 409, "idempotency-in-progress")["retryable"] is True
    assert answer is not None
    assert answer.headers["Retry-After"] == "1"


async def test_a_concurrent_repeat_may_wait_for_the_first_outcome() -> None:
    gateway = Gateway(wait=30)
    first = gateway.request()
    await gateway.enter(first)
    repeats = [asyncio.create_task(gateway.enter(gateway.request())) for _ in range(5)]
    await asyncio.sleep(0.05)
    await gateway.leave(first)
    answers = await asyncio.gather(*repeats)
    assert {answer.status if answer else None for answer in answers} == {201}
    assert gateway.effects == 1


async def test_of_very_many_repeats_the_rest_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait take the room that a process has for all keys."""
    monkeypatch.setattr(reservations, "_waiting", waiting := Waiting(1))
    gateway = Gateway(wait=30)
    first = gateway.request()
    await gateway.enter(first)
    repeat = asyncio.create_task(gateway.enter(gateway.request()))
    await until(lambda: not waiting.room)
    problem(await gateway.enter(gateway.request()), 409, "idempotency-in-progress")
    assert not repeat.done()
    await gateway.leave(first)
    assert (answer := await repeat) is not None and answer.status == 201
    assert waiting.room


async def test_a_repeat_that_waited_for_a_failure_goes_upstream_itself() -> None:
    gateway = Gateway(wait=30)
    first = gateway.request()
    await gateway.enter(first)
    repeats = [asyncio.create_task(gateway.send(gateway.request())) for _ in range(3)]
    await asyncio.sleep(0.05)
    await gateway.leave(first, status=503)
    answers = await asyncio.gather(*repeats)
    assert sum(answer is None for answer in answers) == 1
    assert {answer.status for answer in answers if answer} == {201}


async def test_waiting_ends_with_409() -> None:
    gateway = Gateway(wait=0.3)
    await gateway.enter(gateway.request())
    problem(await gateway.enter(gateway.request()), 409, "idempotency-in-progress")
    assert gateway.plugin.phase_deadline > 0.3


async def test_waiting_keeps_kong_from_giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kong.plugins.idempotency.reservations.KEEPALIVE", 0.05)
    gateway = Gateway(wait=30)
    first, repeat = gateway.request(), gateway.request()
    await gateway.enter(first)
    waiting = asyncio.create_task(gateway.enter(repeat))
    await until(lambda: repeat.calls.count("kong.request.get_method") > 2)
    await gateway.leave(first)
    answer = await waiting
    assert answer is not None
    assert answer.status == 201


async def test_a_phase_that_is_repeated_for_the_same_request_goes_on() -> None:
    gateway = Gateway()
    kong = gateway.request()
    assert await gateway.enter(kong) is None
    assert await gateway.enter(kong) is None
    await gateway.leave(kong)
    assert await gateway.send() is not None


@pytest.mark.parametrize("status", [500, 502, 401, 403, 408, 409, 425, 429])
async def test_an_outcome_that_is_not_kept_frees_the_key(status: int) -> None:
    gateway = Gateway()
    await gateway.send(status=status)
    assert await gateway.send(status=201) is None
    answer = await gateway.send()
    assert answer is not None
    assert answer.status == 201


async def test_which_statuses_are_kept_is_the_configurations() -> None:
    gateway = Gateway(store_statuses=["201"])
    await gateway.send(status=200)
    assert await gateway.send(status=201) is None
    assert await gateway.send() is not None


async def test_which_headers_are_kept_is_the_configurations() -> None:
    gateway = Gateway(stored_headers=["Content-Type"])
    await gateway.send(headers={"content-type": "text/plain", "etag": '"1"'})
    answer = await gateway.send()
    assert answer is not None
    assert answer.headers == {"content-type": "text/plain"} | REPLAYED


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        ({"body": b"x" * 1001}, "larger than 1000 bytes"),
        ({"headers": {"cache-control": "no-store"}}, "no-store"),
    ],
)
async def test_an_answer_that_is_not_kept_is_not_run_again(outcome: dict[str, Any], word: str) -> None:
    gateway = Gateway(max_body=1000)
    assert await gateway.send(**outcome) is None
    document = problem(await gateway.send(), 409, "idempotency-outcome-not-kept")
    assert word in document["detail"]
    assert document["retryable"] is False
    assert gateway.effects == 1


async def test_a_long_answer_is_replayed_whole() -> None:
    gateway, body = Gateway(), b"long " * 100_000
    await gateway.send(body=body)
    answer = await gateway.send()
    assert answer is not None
    assert answer.body == body


async def test_an_answer_without_a_body_is_replayed_without_one() -> None:
    gateway = Gateway()
    await gateway.send(status=204, body=b"", headers={})
    assert await gateway.send() == Answer(204, b"", dict(REPLAYED))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [206, 304, 412, 416])
async def test_an_answer_to_the_conditions_of_one_reading_is_no_outcome(method: str, status: int) -> None:
    """A repeat without If-None-Match or Range was given 304, or a piece of the whole."""
    gateway = Gateway()
    for _ in range(2):
        assert await gateway.send(gateway.request(method=method), status=status, headers={}) is None
    assert not gateway.store.records, "the key is free"
    assert await gateway.send(gateway.request(method=method)) is None
    answer = await gateway.send(gateway.request(method=method))
    assert answer is not None, "a whole answer is an outcome"
    assert answer.status == 201


@pytest.mark.parametrize("status", [206, 304, 412, 416])
async def test_the_same_status_of_a_change_is_its_outcome(status: int) -> None:
    """A change that failed its precondition, or whose service answers oddly, is not carried out twice."""
    gateway = Gateway()
    assert await gateway.send(status=status, body=b"", headers={}) is None
    assert await gateway.send() == Answer(status, b"", dict(REPLAYED))


@pytest.mark.parametrize(
    "headers", [{"idempotency-key": ""}, {"idempotency-key": ["a", "b"]}, {"idempotency-key": "a,b"}]
)
async def test_a_malformed_key_is_refused(headers: dict[str, Any]) -> None:
    gateway = Gateway()
    answer = await gateway.enter(gateway.request(KEY | headers))
    assert problem(answer, 400, "idempotency-key-malformed")["retryable"] is False


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_where_a_key_is_required_a_request_without_is_refused(method: str) -> None:
    gateway = Gateway(required=True)
    answer = await gateway.enter(gateway.request({}, method=method))
    problem(answer, 400, "idempotency-key-required")


async def test_safe_methods_need_a_key_only_where_they_are_named() -> None:
    assert await Gateway(required=True).enter(FakeKong(method="GET")) is None
    named = Gateway(required=True, methods=["GET"])
    problem(await named.enter(FakeKong(method="GET")), 400, "idempotency-key-required")
    assert await named.enter(FakeKong(method="POST")) is None


async def test_a_key_on_a_method_that_is_not_named_is_passed_over() -> None:
    gateway = Gateway(methods=["POST"])
    for _ in range(2):
        assert await gateway.send(gateway.request(method="PUT")) is None
    await gateway.send()
    assert await gateway.send() is not None


@pytest.mark.parametrize(
    "facts",
    [
        {"body": b"x" * 1001},
        {"body_in_file": True},
    ],
)
async def test_a_request_that_is_too_large_for_a_key_is_refused(facts: dict[str, Any]) -> None:
    gateway = Gateway(max_request_body=1000)
    problem(await gateway.enter(gateway.request(**facts)), 413, "idempotency-request-too-large")


async def test_a_request_of_just_the_limit_is_not_too_large() -> None:
    gateway = Gateway(max_request_body=1000)
    assert await gateway.enter(gateway.request(KEY | {"content-length": "1000"}, body=b"x" * 1000)) is None


async def test_more_headers_than_kong_hands_over_could_hide_the_caller_and_are_refused() -> None:
    gateway = Gateway()
    headers = {"idempotency-key": "abc"} | {f"x-{number}": "1" for number in range(99)}
    problem(await gateway.enter(gateway.request(headers)), 431, "idempotency-too-many-headers")


async def test_preconditions_reach_the_upstream_but_not_nginx_which_would_judge_the_new_version() -> None:
    gateway = Gateway()
    conditional = KEY | {
        "if-match": '"1", "2"',
        "if-unmodified-since": "Sun, 22 Nov 2026 06:58:50 GMT",
        "if-none-match": "*",
        "if-modified-since": "Sun, 22 Nov 2026 06:58:51 GMT",
    }
    moved = {
        "if-none-match": None,
        "X-If-None-Match": "*",
        "if-modified-since": None,
        "X-If-Modified-Since": "Sun, 22 Nov 2026 06:58:51 GMT",
        "if-match": None,
        "X-If-Match": '"1", "2"',
        "if-unmodified-since": None,
        "X-If-Unmodified-Since": "Sun, 22 Nov 2026 06:58:50 GMT",
    }
    first, repeat = gateway.request(conditional, method="PUT"), gateway.request(conditional, method="PUT")
    await gateway.send(first, status=200, headers={"etag": '"3"'})
    assert first.upstream == moved
    assert await gateway.send(repeat) is not None
    assert repeat.upstream == moved, "the replay has the new ETag, too"


async def test_preconditions_are_handed_on_without_a_key_too_since_the_answer_is_buffered_all_the_same() -> (
    None
):
    kong = FakeKong(method="PUT", headers={"if-match": '"1"'})
    assert await Gateway().enter(kong) is None
    assert kong.upstream == {"if-match": None, "X-If-Match": '"1"'}


async def test_a_change_of_protocol_has_no_outcome_to_keep_and_is_refused() -> None:
    gateway = Gateway()
    answer = await gateway.enter(gateway.request(KEY | {"upgrade": "WebSocket", "connection": "Upgrade"}))
    problem(answer, 400, "idempotency-key-malformed")
    assert not gateway.store.records


async def test_while_redis_is_down_nothing_goes_upstream() -> None:
    gateway = Gateway()
    gateway.store.error = StoreUnavailableError("down")
    answer = await gateway.enter(gateway.request())
    assert problem(answer, 503, "idempotency-store-unavailable")["retryable"] is True
    assert answer is not None
    assert answer.headers["Retry-After"] == "1"
    assert gateway.effects == 0
    assert await gateway.enter(gateway.request({})) is None, "a request without a key does not need Redis"


async def test_while_redis_is_down_accept_lets_requests_through_unprotected() -> None:
    gateway = Gateway(on_store_error="accept")
    gateway.store.error = StoreUnavailableError("down")
    assert await gateway.send() is None
    assert await gateway.send() is None


async def test_when_redis_is_lost_meanwhile_the_client_gets_its_answer_and_the_key_stays_reserved() -> None:
    gateway = Gateway()
    kong = gateway.request()
    await gateway.enter(kong)
    gateway.store.error = StoreUnavailableError("down")
    await gateway.leave(kong)
    gateway.store.error = None
    problem(await gateway.enter(gateway.request()), 409, "idempotency-in-progress")


async def test_a_request_whose_lease_went_to_another_changes_nothing_of_it() -> None:
    gateway = Gateway()
    late, next_ = gateway.request(), gateway.request()
    await gateway.enter(late)
    gateway.store.records.clear()
    await gateway.enter(next_)
    await gateway.leave(late, status=500)
    await gateway.leave(late, status=201, body=b"late")
    await gateway.leave(next_, status=201, body=b"next")
    answer = await gateway.send()
    assert answer is not None
    assert answer.body == b"next"


async def test_an_outcome_lives_for_the_configured_time() -> None:
    gateway = Gateway(ttl=7200.0)
    await gateway.send()
    assert gateway.store.ttls == [7200]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ttl": 0}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"lock_ttl": 0.5}, "lock_ttl"),
        ({"wait": 31}, "wait"),
        ({"methods": ["post"]}, "methods"),
        ({"store_statuses": ["5xx"]}, "store_statuses"),
        ({"store_statuses": ["200 "]}, "store_statuses"),
        ({"header_names": []}, "header_names"),
        ({"max_body": -1}, "max_body"),
        ({"on_store_error": "maybe"}, "on_store_error"),
    ],
)
def test_a_wrong_configuration_is_refused_by_the_fields_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as error:
        made(CONFIG | changes)
    assert error.value.field == field

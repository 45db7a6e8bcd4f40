"""What a request gets from the cache and what reaches upstream, sentence by sentence of docs/response-cache.md."""

import asyncio
import gc
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest

from common import idempotency_key
from kong.plugins.response_cache import plugin as module
from kong.plugins.response_cache.entries import Entries, Entry
from kong.plugins.response_cache.storing import Kept, Lifetimes, judge
from kong.plugins.response_cache.tags import AsOf
from kong.plugins.waiting import Waiting
from tests.fake_kong import FakeKong
from tests.unit.response_cache.gate import Answer, Gate, saying
from tests.waiting import until

HIT, STORED = "gatehouse; hit; ttl=", "gatehouse; fwd=miss; stored"


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = time_ns = monotonic


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


async def test_the_second_reader_gets_what_the_first_one_got() -> None:
    gate = Gate(saying(b"[1]", etag='"a"', content_type="application/json"))
    first, second = await gate.ask(), await gate.ask()
    assert (first.cache, gate.asked) == (STORED, 1)
    assert second.cache.startswith(HIT)
    assert (second.status, second.body, second.headers["content-type"], second.headers["etag"]) == (
        200, b"[1]", "application/json", '"a"',
    )  # fmt: skip
    assert second.headers["Age"] == "0"


@pytest.mark.parametrize("sent", ['"\udce9"', '"\udcff\udcfe"', ['"a"', '"\udce9"']])
async def test_a_tag_that_is_no_text_is_asked_and_answered_as_none(sent: Any) -> None:
    gate = Gate(saying(b"[1]", etag='"b"'))
    first, second = await gate.ask(if_none_match=sent), await gate.ask(if_none_match=sent)
    assert (first.status, first.body, first.cache) == (200, b"[1]", STORED)
    assert (second.status, second.body, gate.asked) == (200, b"[1]", 1)


async def test_a_tag_that_moves_takes_all_that_carries_it() -> None:
    gate = Gate(saying(b"[1]", cache_tag="products,product:7"))
    await gate.ask()
    gate.watch.move("product:8")
    assert (await gate.ask()).cache.startswith(HIT)
    gate.watch.move("product:7")
    assert (await gate.ask()).cache == STORED
    assert gate.asked == 2


async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    def upstream(_: Mapping[str, Any], __: str) -> Answer:
        gate.watch.move("products")  # while upstream works
        return Answer(200, b"old", {"cache-tag": "products"})

    gate = Gate(upstream)
    assert (await gate.ask()).cache == "gatehouse; fwd=miss"
    assert (await gate.ask()).cache == "gatehouse; fwd=miss"
    assert gate.asked == 2


async def test_nobodys_identity_goes_upstream_and_everybodys_answer_is_one() -> None:
    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        seen.append(dict(headers))
        return Answer(200, b"same", {"cache-tag": "products"})

    seen: list[dict[str, Any]] = []
    gate = Gate(upstream)
    await gate.ask(
        authorization="Bearer secret", cookie="a=b", x_user_id="1", x_user_roles="admin", x_session_id="2"
    )
    assert not {"authorization", "cookie", "x-user-id", "x-user-roles", "x-session-id"} & seen[0].keys()
    assert (await gate.ask()).cache.startswith(HIT)


@pytest.mark.parametrize(
    "header",
    [
        *("x-consumer-id", "x-consumer-username", "x-credential-identifier", "x-authenticated-userid"),
        *("apikey", "x-api-key", "x-account"),
        *("forwarded", "x-original-url", "x-rewrite-url", "x-http-method-override", "x-forwarded-server"),
    ],
)
async def test_what_names_a_caller_or_another_address_is_in_nobodys_answer(header: str) -> None:
    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        return Answer(200, str(headers.get(header)).encode(), {"cache-tag": "x"})

    gate = Gate(upstream, user_header="X-Account")
    assert (await gate.ask(**{header: "of Ada"})).body == b"None"
    assert (await gate.ask(**{header: "of Bob"})).cache.startswith(HIT)


async def test_headers_that_kong_leaves_out_are_in_nobodys_answer() -> None:
    """It tells of the first hundred, and what token-validator says comes after the client's."""

    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        return Answer(200, str(headers.get("x-user-id")).encode(), {"cache-tag": "x"})

    gate = Gate(upstream)
    many: dict[str, Any] = {f"x_{number}": "" for number in range(100)}
    assert (await gate.ask(**many, x_user_id="ada")).cache == "gatehouse; fwd=bypass; detail=headers"
    assert (await gate.ask()).body == b"None"


async def test_an_answer_of_which_kong_leaves_headers_out_is_not_kept() -> None:
    many: dict[str, Any] = {f"x_{number}": "" for number in range(100)}
    gate = Gate(saying(b"hers", **many, set_cookie="session=hers"))
    assert (await gate.ask()).cache == "gatehouse; fwd=miss"
    assert (await gate.ask()).cache == "gatehouse; fwd=miss"


async def test_one_that_a_route_names_in_vary_chooses_the_answer() -> None:
    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        return Answer(200, str(headers.get("x-consumer-id")).encode(), {"cache-tag": "x"})

    gate = Gate(upstream, vary=["X-Consumer-ID"])
    for who in ("ada", "bob", "ada"):
        assert (await gate.ask(x_consumer_id=who)).body == who.encode()
    assert gate.asked == 2


@pytest.mark.parametrize(
    "header", ["host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-prefix"]
)
async def test_an_answer_that_was_made_for_one_address_is_not_anothers(header: str) -> None:
    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        return Answer(200, f"https://{headers.get(header)}/".encode(), {"cache-tag": "x"})

    gate = Gate(upstream)
    for name in ("evil.example", "shop.example", "evil.example"):
        assert (await gate.ask(**{header: name})).body == f"https://{name}/".encode()
    assert gate.asked == 2


async def test_gateways_on_several_ports_share_their_answers() -> None:
    gate = Gate(saying(b"[1]"))
    await gate.ask(host="shop.example:8000")
    assert (await gate.ask(host="SHOP.example:8010")).cache.startswith(HIT)


async def test_the_callers_conditions_reach_upstream_where_nothing_is_kept() -> None:
    gate = Gate(lambda headers, _: Answer(200, str(headers.get("if-none-match")).encode(), {}))
    kong = FakeKong(method="HEAD", path="/api/products", headers={"if-none-match": '"a"'})
    await kong.run(gate.plugin, "access")
    assert "if-none-match" not in kong.upstream


async def test_what_a_caller_has_left_of_a_rate_limit_is_not_shown_to_others() -> None:
    gate = Gate(saying(ratelimit="3", ratelimit_remaining="3", x_ratelimit_remaining_minute="3", x_shop="a"))
    await gate.ask()
    shown = await gate.ask()
    assert shown.cache.startswith(HIT)
    assert "x-shop" in shown.headers
    assert not [name for name in shown.headers if "ratelimit" in name]


async def test_of_a_route_for_callers_each_has_an_answer_of_its_own() -> None:
    gate = Gate(
        lambda headers, _: Answer(
            200, str(headers["x-user-id"]).encode(), {"cache-control": "private", "cache-tag": "x"}
        ),
        scope="user",
    )
    for name in ("ada", "bob", "ada", "bob"):
        assert (await gate.ask(x_user_id=name, x_user_roles="member")).body == name.encode()
    assert gate.asked == 2
    assert (await gate.ask(x_user_id="ada", x_user_roles="member,admin")).cache == STORED, (
        "other roles see otherwise"
    )
    assert "detail=caller" in (await Gate(saying(), scope="user").ask()).cache


async def test_two_routes_of_one_service_have_an_answer_each() -> None:
    """Two hosts, a header or a method may tell routes of one path apart, and lead where the answers are others."""
    gate = Gate(saying(b"of one"), route=None)
    one, other = FakeKong(path="/api/a", route="one"), FakeKong(path="/api/a", route="other")
    assert (await gate.pass_through(one)).cache == STORED
    gate.upstream = saying(b"of the other")
    assert (await gate.pass_through(other)).body == b"of the other"
    again = FakeKong(path="/api/a", route="one")
    assert (await gate.pass_through(again)).body == b"of one"
    assert gate.asked == 2


@pytest.mark.parametrize(
    ("said", "resembling"), [("['a', 'b']", ["a", "b"]), ("", None), ("\udcff", "\udcfe"), ("a", ["a"])]
)
async def test_headers_that_resemble_each_other_choose_different_answers(said: Any, resembling: Any) -> None:
    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        chosen = ascii(headers.get("x-shop", "none")).encode()
        return Answer(200, chosen, {"cache-tag": "x", "vary": "X-Shop"})

    gate = Gate(upstream, vary=["X-Shop"])
    for value in (said, resembling, said, resembling):
        headers = {} if value is None else {"x-shop": value}
        expected = "none" if value is None else value
        assert (await gate.ask(**headers)).body == ascii(expected).encode()
    assert gate.asked == 2


@pytest.mark.parametrize(
    "said",
    [
        saying(set_cookie="a=b"),
        saying(cache_control="private"),
        saying(cache_control="public, no-store"),
        saying(cache_control="max-age=0"),
        saying(cache_control="s-maxage=x"),
        saying(cache_control="max-age=30", age="30"),
        saying(expires="0"),
        saying(expires="Thu, 01 Jan 1970 00:00:00 GMT", date="Fri, 27 Nov 2026 22:00:00 GMT"),
        saying(expires="Fri, 27 Nov 2026 22:00:00 GMT", date="Fri, 27 Nov 2026 22:00:00 GMT"),
        saying(vary="*"),
        saying(vary="Accept-Language"),
        saying(content_encoding="gzip"),
        saying(content_range="bytes 0-1/2"),
        saying(cache_tag="", cache_control="public, no-cache"),
        saying(cache_tag=",".join(str(n) for n in range(300))),
        saying(cache_tag="*"),
        saying(status=206),
        saying(status=301),
        saying(status=500),
        saying(body=b"x" * 2000),
    ],
)
async def test_what_may_be_somebodys_or_of_the_moment_is_never_kept(said: Any) -> None:
    gate = Gate(said, max_body=1000)
    for _ in range(3):
        assert "stored" not in (await gate.ask()).cache
    assert gate.asked == 3


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "POST"},
        {"range": "bytes=0-1"},
        {"if_match": '"a"'},
        {"x_if_match": '"a"'},
        {"content_length": "3"},
        {"transfer_encoding": "chunked"},
        {"cache_control": "no-store"},
        {"path": "/api/products?unknown=1"},
        {"path": "/api/products?q=1&q=2"},
        {"path": "/api/products?q"},
        {"path": "/api/products?q=%ff"},
        {"path": "/api//products"},
        {"path": "/api/products?q=" + "a" * 3000},
    ],
)
async def test_what_the_cache_does_not_understand_goes_upstream_as_it_came(request_: dict[str, Any]) -> None:
    gate = Gate(saying())
    await gate.ask()
    answer = await gate.ask(**request_)
    assert answer.cache.startswith("gatehouse; fwd=bypass; detail=")
    assert gate.asked == 2


@pytest.mark.parametrize("name", ["if-match", "if-unmodified-since"])
async def test_a_condition_is_upstreams_to_judge_and_not_nginx_which_breaks_the_answer_off(name: str) -> None:
    reached: list[Mapping[str, Any]] = []

    def upstream(headers: Mapping[str, Any], _: str) -> Answer:
        reached.append(headers)
        return saying()(headers, _)

    await Gate(upstream).pass_through(FakeKong(path="/api/products", headers={name: "a condition"}))
    assert reached == [{f"x-{name}": "a condition"}]


async def test_one_query_in_two_spellings_is_one_and_upstream_reads_that_one() -> None:
    def upstream(_: Mapping[str, Any], query: str) -> Answer:
        queries.append(query)
        return Answer(200, b"", {"cache-tag": "products"})

    queries: list[str] = []
    gate = Gate(upstream)
    await gate.ask("/api/products?q=a+b&lang=ko")
    assert (await gate.ask("/api/products?lang=ko&q=a%20b")).cache.startswith(HIT)
    assert (await gate.ask("/api/products?lang=en&q=a%20b")).cache == STORED
    assert queries == ["lang=ko&q=a+b", "lang=en&q=a+b"]


async def test_head_is_answered_by_a_kept_get_and_keeps_nothing_itself() -> None:
    gate = Gate(saying(b"[1]", etag='"a"'))
    assert (await gate.ask(method="HEAD")).cache == "gatehouse; fwd=miss"
    await gate.ask()
    answer = await gate.ask(method="HEAD")
    assert (answer.body, answer.headers["etag"], gate.asked) == (b"", '"a"', 2)


async def test_who_has_the_answer_already_is_told_so_kept_or_not() -> None:
    gate = Gate(saying(b"[1]", etag='"a"', cache_control="public, no-cache"))
    for _ in range(2):
        answer = await gate.ask(if_none_match='W/"b", W/"a"')
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", '"a"')
        assert answer.headers["cache-control"] == "public, no-cache"
    assert gate.asked == 1
    assert (await gate.ask(if_none_match='"b"')).status == 200


async def test_that_there_is_nothing_is_kept_for_a_moment_and_says_whose_request_it_answers(
    clock: Clock,
) -> None:
    gate = Gate(
        saying(
            b'{"status": 404, "request_id": "first"}',
            status=404,
            cache_tag="",
            cache_control="public, no-cache",
        ),
        not_found_ttl=2,
    )
    await gate.ask("/api/products/none")
    kept = await gate.ask("/api/products/none", x_request_id="second")
    assert kept.status == 404
    assert kept.cache.startswith(HIT)
    assert b'"request_id":"second"' in kept.body
    gate.watch.move("path:/api/products/none")
    await gate.ask("/api/products/none")
    clock.now += 3
    await gate.ask("/api/products/none")
    assert gate.asked == 3


async def test_only_if_cached_asks_nobody() -> None:
    gate = Gate(saying())
    assert (await gate.ask(cache_control="only-if-cached")).status == 504
    await gate.ask()
    assert (await gate.ask(cache_control="only-if-cached")).status == 200
    assert gate.asked == 1


async def test_no_cache_of_a_client_sends_nothing_upstream() -> None:
    gate = Gate(saying())
    await gate.ask()
    assert (await gate.ask(cache_control="no-cache", pragma="no-cache")).cache.startswith(HIT)


async def test_where_tags_are_not_known_nothing_is_shown_and_nothing_kept() -> None:
    gate = Gate(saying())
    await gate.ask()
    gate.watch.known = False
    assert (await gate.ask()).cache == "gatehouse; fwd=bypass; detail=store"
    assert gate.asked == 2


async def test_many_at_once_are_one_upstream(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    gate = Gate(saying(b"[1]"))
    join, joined = gate.plugin._flights.join, []

    def joining(key: bytes, now: float) -> asyncio.Future[Entry | None] | None:
        joined.append(key)
        return join(key, now)

    monkeypatch.setattr(gate.plugin._flights, "join", joining)
    arrived = asyncio.Event()

    async def slow(kong: FakeKong) -> None:
        await arrived.wait()
        await Gate.answer_from_upstream(gate, kong)

    gate.answer_from_upstream = slow  # type: ignore[method-assign]
    asking = [asyncio.ensure_future(gate.ask()) for _ in range(200)]
    await until(lambda: len(joined) == 200)
    arrived.set()
    answers = await asyncio.gather(*asking)
    assert gate.asked == 1
    assert {answer.body for answer in answers} == {b"[1]"}
    assert sum("collapsed" in answer.cache for answer in answers) == 199


async def test_of_very_many_at_once_the_rest_goes_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that wait take the room that a process has for all requests, hits among them."""
    monkeypatch.setattr(module, "_waiting", waiting := Waiting(2))
    gate = Gate(saying(b"[1]"), wait=1.9)
    first = FakeKong(path="/api/products")
    assert await first.run(gate.plugin, "access") is None
    others = [asyncio.ensure_future(gate.ask()) for _ in range(2)]
    await until(lambda: not waiting.room)
    assert (await gate.ask()).cache == STORED
    assert {answer.body for answer in await asyncio.gather(*others)} == {b"[1]"}
    assert gate.asked == 1 and waiting.room, "the two got what the one brought that did not wait"


async def test_who_waits_for_one_that_is_lost_goes_upstream_after_a_while() -> None:
    gate = Gate(saying(b"[1]"), wait=0.05)
    lost = FakeKong(path="/api/products")
    assert await lost.run(gate.plugin, "access") is None  # its response phase never comes
    assert (await gate.ask()).body == b"[1]"
    assert gate.asked == 1


async def test_those_that_are_lost_take_no_memory_whatever_is_asked(clock: Clock) -> None:
    """Upstream is down: Kong answers 502, and no response phase comes."""
    gate = Gate(saying())
    for number in range(50):
        await FakeKong(path=f"/api/products?q={number}").run(gate.plugin, "access")
        clock.now += 0.2
    assert len(gate.plugin._flights) <= 1.5 / 0.2 + 1


async def test_while_one_asks_anew_the_others_are_shown_what_was(clock: Clock) -> None:
    gate = Gate(saying(b"[1]"), ttl=10, stale_while_revalidate=5)
    await gate.ask()
    clock.now += 12
    asking = FakeKong(path="/api/products")
    assert await asking.run(gate.plugin, "access") is None, "the first one asks"
    shown = await gate.ask()
    assert (shown.body, shown.headers["Age"]) == (b"[1]", "12")
    assert gate.asked == 1


async def test_while_upstream_fails_what_was_is_shown_and_nothing_of_the_failure(clock: Clock) -> None:
    gate = Gate(saying(b"[1]"), ttl=10, stale_while_revalidate=0, stale_if_error=60)
    await gate.ask()
    gate.upstream = saying(b"oh", status=503, set_cookie="a=b", retry_after="9")
    clock.now += 12
    answer = await gate.ask()
    assert (answer.status, answer.body) == (200, b"[1]")
    assert not {"set-cookie", "retry-after"} & answer.headers.keys()
    clock.now += 60
    assert (await gate.ask()).status == 503


@pytest.mark.parametrize("directive", ["must-revalidate", "proxy-revalidate", "s-maxage=10"])
async def test_an_answer_that_forbids_it_is_not_shown_after_its_time(clock: Clock, directive: str) -> None:
    gate = Gate(saying(b"[1]", cache_control=directive), ttl=10, stale_if_error=60)
    await gate.ask()
    gate.upstream = saying(b"oh", status=503)
    clock.now += 9
    assert (await gate.ask()).body == b"[1]"
    clock.now += 3
    assert (await gate.ask()).status == 503
    asking = FakeKong(path="/api/products")
    await asking.run(gate.plugin, "access")
    waiting = asyncio.ensure_future(gate.ask())
    await asyncio.sleep(0)
    await gate.answer_from_upstream(asking)
    await asking.run(gate.plugin, "response")
    assert (await waiting).status == 503


async def test_an_answer_says_when_it_is_over_and_how_old_it_came(clock: Clock) -> None:
    now, then = "Fri, 27 Nov 2026 22:00:00 GMT", "Fri, 27 Nov 2026 22:00:30 GMT"
    gate = Gate(saying(b"[1]", expires=then, date=now, age="10"), ttl=60, stale_while_revalidate=0)
    await gate.ask()
    clock.now += 19
    shown = await gate.ask()
    assert (shown.headers["Age"], shown.headers["expires"]) == ("29", then)
    clock.now += 2
    assert (await gate.ask()).cache == "gatehouse; fwd=stale; stored"


async def test_what_was_is_not_shown_where_upstream_has_answered_with_what_is_not_kept(clock: Clock) -> None:
    gate = Gate(saying(b"[1]"), ttl=10, stale_while_revalidate=0, stale_if_error=60)
    await gate.ask()
    clock.now += 12
    asking = FakeKong(path="/api/products")
    assert await asking.run(gate.plugin, "access") is None
    waiting = asyncio.ensure_future(gate.ask())
    await asyncio.sleep(0.02)
    gate.upstream = saying(b"[2]", cache_control="private")
    await gate.answer_from_upstream(asking)
    await asking.run(gate.plugin, "response")
    assert (await waiting).body == b"[2]"


async def test_what_was_is_shown_where_upstream_says_nothing_in_time(clock: Clock) -> None:
    gate = Gate(saying(b"[1]"), ttl=10, stale_while_revalidate=0, stale_if_error=60, wait=0.05)
    await gate.ask()
    clock.now += 12
    asking = FakeKong(path="/api/products")
    assert await asking.run(gate.plugin, "access") is None
    assert (await gate.ask()).body == b"[1]"
    assert gate.asked == 1


async def test_a_change_is_not_hidden_by_a_failing_upstream(clock: Clock) -> None:
    gate = Gate(saying(b"[1]"), ttl=10, stale_if_error=60)
    await gate.ask()
    gate.watch.move("products")
    gate.upstream = saying(b"oh", status=503)
    assert (await gate.ask()).status == 503


async def test_memory_is_bounded_and_the_least_used_leaves_first() -> None:
    gate = Gate(saying(b"x" * 20_000), memory=65536)
    for query in ("q=1", "q=2", "q=1", "q=3"):
        await gate.ask(f"/api/products?{query}")
    assert gate.plugin._entries.bytes <= 65536
    assert (await gate.ask("/api/products?q=1")).cache.startswith(HIT)
    asked = gate.asked
    await gate.ask("/api/products?q=2")
    assert gate.asked == asked + (0 if len(gate.plugin._entries) == 3 else 1)


@pytest.mark.parametrize(("body", "tags"), [(200, 1), (10_000, 20), (40_000, 100), (500, 256)])
def test_what_an_answer_is_counted_as_is_not_less_than_it_takes(body: int, tags: int) -> None:
    def answer(number: int) -> Entry:
        said = {
            "cache-tag": ",".join(f"product:{number:018}-{tag:018}" for tag in range(tags)),
            "etag": f'"{number}"',
        }
        kept = judge(
            200, said, bytes(body), path=f"/api/{number}", vary=(), max_body=body,
            lifetimes=Lifetimes(60, 2), shared=True,
        )  # fmt: skip
        assert isinstance(kept, Kept)
        return Entry(kept, AsOf("redis", (1, 0)), 0.0)

    entries = Entries(2**30)
    tracemalloc.start()
    try:
        for number in range(100):
            entries.put(number.to_bytes(20, "big"), answer(number))
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken <= 1.1 * entries.bytes


async def test_a_cdn_is_told_of_its_own_time_where_that_is_configured_and_of_a_stale_answer_nothing(
    clock: Clock,
) -> None:
    gate = Gate(saying(b"[1]", etag='"a"', cache_control="public, no-cache"), cdn_ttl=5, ttl=60)
    assert (await gate.ask()).headers["CDN-Cache-Control"] == "public, max-age=5"
    clock.now += 40
    for headers in ({}, {"if_none_match": '"a"'}):
        hit = await gate.ask(**headers)
        assert (hit.headers["Age"], hit.headers["CDN-Cache-Control"]) == ("40", "public, max-age=45")
        assert hit.headers["cache-control"] == "public, no-cache", "browsers ask each time"
    clock.now += 21
    asking = FakeKong(path="/api/products")
    assert await asking.run(gate.plugin, "access") is None
    assert "CDN-Cache-Control" not in (await gate.ask()).headers


@pytest.mark.parametrize(
    ("said", "config"),
    [(saying(), {}), (saying(cache_control="private"), {"cdn_ttl": 5}), (saying(status=500), {"cdn_ttl": 5})],
)
async def test_a_cdn_is_told_nothing_of_what_is_not_kept_here(said: Any, config: dict[str, Any]) -> None:
    gate = Gate(said, **config)
    for _ in range(2):
        assert "CDN-Cache-Control" not in (await gate.ask()).headers


async def test_a_cdn_is_told_nothing_of_what_is_one_persons() -> None:
    gate = Gate(saying(), scope="user", cdn_ttl=5)
    for _ in range(2):
        answer = await gate.ask(x_user_id="ada", x_user_roles="member")
        assert "CDN-Cache-Control" not in answer.headers


async def test_that_there_is_nothing_is_told_to_a_cdn_for_no_longer_than_it_is_kept() -> None:
    gate = Gate(saying(status=404, cache_tag=""), cdn_ttl=60, not_found_ttl=2)
    for _ in range(2):
        assert (await gate.ask()).headers["CDN-Cache-Control"] == "public, max-age=2"


async def test_headers_that_were_encoded_once_come_out_as_any_others() -> None:
    said = {
        "etag": '"a"',
        "content-type": "application/json",
        "link": "<" + "x" * 300 + ">",
        "x-two": ["1", "2"],
    }
    gate = Gate(lambda _, __: Answer(200, b"[1]", {"cache-tag": "products", **said}))
    for _ in range(3):
        answer = await gate.ask()
        assert {name: answer.headers[name] for name in said} == said
    assert answer.headers["Age"] == "0"
    assert answer.cache.startswith(HIT)
    assert (await gate.ask(method="HEAD")).headers.keys() == answer.headers.keys()


async def test_one_address_is_read_by_each_routes_own_rules() -> None:
    """What is remembered of an address is of the parameters that the route allows."""
    one, other = Gate(saying(), query=["q"]), Gate(saying(), query=["lang"])
    for gate, detail in ((one, "stored"), (other, "detail=query"), (one, "hit")):
        assert detail in (await gate.ask("/api/products?q=1")).cache


async def test_a_gateway_that_is_asked_for_each_part_means_the_same_answer() -> None:
    gate = Gate(saying(b"[1]"))
    kong = FakeKong(path="/api/products?q=1", headers={"host": "Shop.example:80"}, summary=False)
    await gate.pass_through(kong)
    again = FakeKong(path="/api/products?q=1", headers={"host": "Shop.example:80"})
    assert (await gate.pass_through(again)).cache.startswith(HIT)
    assert again.calls == ["kong.nginx.get_var", "kong.request.get_headers", "kong.ctx.shared.set"]


async def test_where_the_gateway_has_no_function_for_answers_upstream_gives_them() -> None:
    gate = Gate(saying(b"[1]"))
    await gate.ask()
    passing = FakeKong(path="/api/products", headers={"authorization": "Bearer own"}, answers=False)
    answer = await gate.pass_through(passing)
    assert (answer.body, answer.cache, gate.asked) == (b"[1]", "", 2)
    assert passing.upstream == {}, "it goes on as it came"
    assert (await gate.ask()).cache.startswith(HIT), "and what was kept stays as it was"


async def test_a_hit_of_a_request_with_a_key_is_not_left_to_a_function_behind_idempotency() -> None:
    gate = Gate(saying(b"[1]"))
    await gate.ask()
    for name in idempotency_key.HEADERS:
        keyed = FakeKong(path="/api/products", headers={name: "k"}, answers=False)
        assert (await gate.pass_through(keyed)).cache.startswith(HIT)
    assert gate.asked == 1

"""Answers reads from what upstream said before, for as long as nothing of it has changed.

Only the sequence is here: request.py says what is wanted, storing.py what may be kept, tags.py what has moved since,
entries.py keeps it, flights.py sends one of many upstream, answers.py makes the answer. Redis down: the cache is off,
requests go upstream; it is the one plugin that fails open, since nothing hangs on it but speed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import msgspec

from common import header_names
from common.redis_link import RedisLink
from kong.plugins import preconditions, redis_url, request_summary
from kong.plugins.problems import answer
from kong.plugins.response_cache import answers, problems
from kong.plugins.response_cache.config import Config
from kong.plugins.response_cache.entries import Entries, Entry
from kong.plugins.response_cache.flights import Flights
from kong.plugins.response_cache.leases import Leases
from kong.plugins.response_cache.request import NotAsked, Rules, Wanted, wanted
from kong.plugins.response_cache.storing import Kept, Lifetimes, NotKept, judge
from kong.plugins.response_cache.tags import AsOf, TagSource, TagWatch
from kong.plugins.response_cache.warming import warm_up
from kong.plugins.runtime import metrics, redis_metrics
from kong.plugins.runtime.errors import AnswerTooLargeError
from kong.plugins.runtime.pdk import HANDED_OVER, Kong, Value
from kong.plugins.shared import Shared
from kong.plugins.traced import traced
from kong.plugins.waiting import Waiting

version = "0.1.0"
priority = 100  # after whatever may refuse a request, before idempotency: where Kong's own cache is

REQUESTS = metrics.counter(
    "response_cache_requests_total",
    "Requests by where their answer came from.",
    outcome=("hit", "stale", "collapsed", "miss", "bypass", "off"),
)
OUTCOMES = {
    outcome: REQUESTS.labels(outcome=outcome)
    for outcome in ("hit", "stale", "collapsed", "miss", "bypass", "off")
}
STORES = metrics.counter(
    "response_cache_stores_total",
    "Answers of upstream by what became of them.",
    outcome=("stored", "not_kept", "moved"),
)
BYTES = metrics.gauge("response_cache_bytes", "Bytes of the answers that are kept.")
ENTRIES = metrics.gauge("response_cache_entries", "Answers that are kept.")

STATE = "response_cache"
"""The name in `kong.ctx.shared` under which the access phase leaves to the response phase what it has found."""
LEASE_TIMEOUT = 0.2
"""Seconds within which Redis must say whether another process asks already."""

_waiting = Waiting()
_watches: Shared[TagSource, TagWatch] = Shared(TagWatch)
_links: Shared[tuple[str, float], RedisLink] = Shared(
    lambda key: RedisLink(*key, client_name="response-cache", ended=redis_metrics.ended)
)


class Asked(msgspec.Struct, frozen=True):
    """What the response phase has to know. `kept` is False where the answer is not to be kept, for `detail`."""

    kept: bool
    detail: str = ""
    key: bytes = b""
    path: str = ""
    known: str | None = None
    as_of: AsOf = AsOf("", (0, 0))


@traced("response-cache")
class Plugin:
    """One configuration of the plugin; its phases run concurrently."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.phase_deadline = config.wait + 0.5
        self._public = config.scope == "public"
        self._cdn_ttl = config.cdn_ttl if self._public else 0
        self._rules = Rules(
            frozenset(config.query),
            tuple(name.lower() for name in config.vary),
            None if self._public else config.user_header.lower(),
            None if self._public else config.roles_header.lower(),
            frozenset((config.user_header.lower(), config.roles_header.lower())),
        )
        self._lifetimes = Lifetimes(config.ttl, config.not_found_ttl)
        self._source = TagSource(
            redis_url.find(config.redis_url, "RESPONSE_CACHE_REDIS_PASSWORD"), config.stream, config.silence
        )
        self._entries = Entries(config.memory)
        self._measured = 0, 0
        self._flights = Flights(config.wait)
        self._route: str | None = None
        self._watch: TagWatch
        self._leases: Leases

    def attached_to(self, route: str | None) -> None:
        """None: on a service or everywhere. Then Kong is asked which route a request took."""
        self._route = route

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with (
            _watches.use(self._source) as watch,
            _links.use((self._source.redis_url, LEASE_TIMEOUT)) as link,
        ):
            self._watch = watch
            self._leases = Leases(link, self.config.wait)
            warming = self._warm_up(watch)
            try:
                yield
            finally:
                if warming is not None:
                    warming.cancel()
                await self._leases.close()
                self._entries.clear()
                self._measure()

    def _warm_up(self, watch: TagWatch) -> asyncio.Task[int] | None:
        """In the background: it goes through Kong, which waits for this start."""
        if not self.config.warm_up:
            return None
        warming = warm_up(self.config.warm_up, self.config.warm_up_from, watch.current)
        return asyncio.create_task(warming, name="warm-up")

    async def access(self, kong: Kong) -> None:
        told, headers = await kong.gather(request_summary.question(kong), kong.request.get_headers())
        summary = await request_summary.complete(kong, told)
        route = self._route or await self._route_taken(kong)
        asked = wanted(summary.method, summary.target, summary.host, headers, self._rules, route)
        if isinstance(asked, NotAsked):
            preconditions.rename(kong, headers)
            self._leave(kong, "bypass", Asked(kept=False, detail=f"fwd=bypass; detail={asked.reason}"))
            return
        if not self._watch.current():
            self._leave(kong, "off", Asked(kept=False, detail="fwd=bypass; detail=store"))
            return
        await self._answer_or_ask(kong, asked)

    async def response(self, kong: Kong) -> None:
        try:
            state, status, headers, body = await kong.gather(
                kong.ctx.shared.get(STATE),
                kong.service.response.get_status(),
                kong.response.get_headers(),
                kong.service.response.get_raw_body(),
            )
        except AnswerTooLargeError:
            state, status, headers = await kong.gather(
                kong.ctx.shared.get(STATE),
                kong.service.response.get_status(),
                kong.response.get_headers(),
            )
            body = None
        if not isinstance(state, str):
            return
        asked = msgspec.json.decode(state, type=Asked)
        if not asked.kept:
            kong.response.set_header(answers.CACHE_STATUS, answers.status_line(asked.detail))
            return
        await self._keep(kong, asked, status, headers, body)

    # ----- access ---------------------------------------------------------------------------------------------

    @staticmethod
    async def _route_taken(kong: Kong) -> str:
        found = await kong.router.get_route()
        return found.id if found is not None else ""

    async def _answer_or_ask(self, kong: Kong, asked: Wanted) -> None:
        now = time.monotonic()
        entry = self._standing(asked.key)
        if entry is not None and entry.age(now) < entry.kept.fresh_for:
            await self._hit(kong, asked, entry, "hit")
        if asked.only_if_cached:
            await answer(kong, problems.not_cached())
        for name in asked.withheld:
            kong.service.request.clear_header(name)
        if asked.head:
            self._leave(kong, "miss", Asked(kept=False, detail="fwd=miss"))
            return
        flight = self._flights.join(asked.key, now)
        if flight is not None:
            usable = self._while_asking(entry, now)
            if usable is not None:
                await self._hit(kong, asked, usable, "stale")
            landed, lost = await self._landed(flight) if _waiting.room else (None, False)
            if landed is not None and self._watch.moves.stand(landed.kept.tags, landed.as_of):
                await self._hit(kong, asked, landed, "collapsed")
            if lost and entry is not None and self._usable_on_error(entry, time.monotonic()):
                await self._hit(kong, asked, entry, "stale")
        elif entry is None and self._flights.leads(asked.key) and _waiting.room:
            with _waiting:
                shared = await self._leases.answer_of_another(asked.key)
            if shared is not None and self._watch.moves.stand(shared.kept.tags, shared.as_of):
                self._entries.put(asked.key, shared)
                self._measure()
                self._flights.land(asked.key, shared, time.monotonic())
                await self._hit(kong, asked, shared, "collapsed")
        kong.service.request.set_header("Accept-Encoding", "identity")
        # Upstream reads the query that the key was made of, in no other spelling.
        kong.service.request.set_raw_query(asked.query)
        detail = "fwd=miss" if entry is None else "fwd=stale"
        state = Asked(
            kept=True,
            detail=detail,
            key=asked.key,
            path=asked.path,
            known=asked.known,
            as_of=self._watch.moves.now,
        )
        self._leave(kong, "miss", state)

    def _standing(self, key: bytes) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None or self._watch.moves.stand(entry.kept.tags, entry.as_of):
            return entry
        self._entries.drop(key)
        self._measure()
        return None

    def _while_asking(self, entry: Entry | None, now: float) -> Entry | None:
        if entry is None:
            return None
        return entry if _within(entry, now, self.config.stale_while_revalidate) else None

    def _usable_on_error(self, entry: Entry, now: float) -> bool:
        return (
            _within(entry, now, self.config.stale_if_error)
            and self._watch.current()
            and self._watch.moves.stand(entry.kept.tags, entry.as_of)
        )

    async def _landed(self, flight: asyncio.Future[Entry | None]) -> tuple[Entry | None, bool]:
        """What came of it, None where that is not kept; and whether nothing came of it in time."""
        try:
            with _waiting:
                async with asyncio.timeout(self.config.wait):
                    return await asyncio.shield(flight), False
        except TimeoutError:
            return None, True

    async def _hit(self, kong: Kong, asked: Wanted, entry: Entry, outcome: str) -> NoReturn:
        OUTCOMES[outcome].inc()
        request_id = (
            await kong.request.get_header(header_names.REQUEST_ID) if entry.kept.status != 200 else ""
        )
        made = answers.from_cache(
            entry,
            time.monotonic(),
            outcome,
            known=asked.known,
            head=asked.head,
            request_id=request_id or "",
            cdn_ttl=self._cdn_ttl,
        )
        if asked.keyed:  # idempotency would reserve the key before the gateway's function answers
            kong.response.exit(made.status, made.body, made.headers)
        kong.response.hand_over(HANDED_OVER, made.status, made.body, made.headers)

    def _leave(self, kong: Kong, outcome: str, state: Asked) -> None:
        OUTCOMES[outcome].inc()
        kong.ctx.shared.set(STATE, msgspec.json.encode(state).decode())

    # ----- response -------------------------------------------------------------------------------------------

    async def _keep(
        self, kong: Kong, asked: Asked, status: int, headers: dict[str, Value], body: bytes | None
    ) -> None:
        now = time.monotonic()
        judged = judge(
            status,
            headers,
            body,
            path=asked.path,
            vary=self._rules.vary,
            max_body=self.config.max_body,
            lifetimes=self._lifetimes,
            shared=self._public,
        )
        entry = self._stored(asked, judged, now)
        if status >= 500:
            former = self._standing(asked.key)
            self._flights.land(
                asked.key, former if former and self._usable_on_error(former, now) else None, now
            )
            if former is not None and self._usable_on_error(former, now):
                OUTCOMES["stale"].inc()
                self._leases.landed(asked.key, None)
                for name in headers:
                    kong.response.clear_header(name)
                made = answers.from_cache(former, now, "stale", known=asked.known, head=False, request_id="")
                kong.response.exit(made.status, made.body, made.headers)
        else:
            self._flights.land(asked.key, entry, now)
        self._leases.landed(asked.key, entry)
        stored = "; stored" if entry is not None else ""
        own = {answers.CACHE_STATUS: answers.status_line(asked.detail + stored)}
        if self._cdn_ttl and entry is not None:
            own[answers.CDN_CACHE_CONTROL] = answers.for_cdns(self._cdn_ttl, entry.kept.fresh_for, 0)
        if status == 200 and answers.has(asked.known, headers.get("etag")):
            kong.response.exit(304, b"", {**answers.not_modified(headers), **own})
        for name, value in own.items():
            kong.response.set_header(name, value)

    def _stored(self, asked: Asked, judged: Kept | NotKept, now: float) -> Entry | None:
        if isinstance(judged, NotKept):
            STORES.labels(outcome="not_kept").inc()
            return None
        if not self._watch.current() or not self._watch.moves.stand(judged.tags, asked.as_of):
            STORES.labels(outcome="moved").inc()
            return None
        entry = Entry(judged, asked.as_of, now)
        self._entries.put(asked.key, entry)
        self._measure()
        STORES.labels(outcome="stored").inc()
        return entry

    def _measure(self) -> None:
        """Adds to what the other routes keep."""
        bytes_, count = self._entries.bytes, len(self._entries)
        BYTES.inc(bytes_ - self._measured[0])
        ENTRIES.inc(count - self._measured[1])
        self._measured = bytes_, count


def _within(entry: Entry, now: float, window: float) -> bool:
    """Whether an answer may be shown for `window` seconds after its own time, and still is within them."""
    return entry.age(now) < entry.kept.fresh_for + (window if entry.kept.stale_allowed else 0)

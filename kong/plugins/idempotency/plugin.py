"""Runs each keyed request once, and answers its repeats with the first outcome.

Only the sequence is here: keys.py reads the key, fingerprint.py tells requests apart, records.py decides, anonymous.py
limits callers without an account, reservations.py holds the key, store.py makes that atomic. Redis down: 503 and
nothing upstream (`on_store_error: reject`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from common import redis_address
from common.redis_link import RedisLink, StoreUnavailableError
from kong.plugins import header_limit, preconditions, redis_url
from kong.plugins.idempotency import anonymous, outcomes, problems, records
from kong.plugins.idempotency.anonymous import LARGEST_BODY, Admission, Counts, Limits
from kong.plugins.idempotency.config import Config
from kong.plugins.idempotency.fingerprint import fingerprint, secret, storage_key, with_credentials
from kong.plugins.idempotency.keys import MalformedKey, find_key
from kong.plugins.idempotency.records import (
    ABOUT_ONE_READING,
    SAFE_METHODS,
    InProgress,
    Mismatch,
    Replay,
    Unreplayable,
)
from kong.plugins.idempotency.request import (
    KeyedRequest,
    RawRequest,
    keyed_request,
    read_all,
    read_headers,
    read_rest,
)
from kong.plugins.idempotency.reservations import Claim, Reservations
from kong.plugins.idempotency.store import Store
from kong.plugins.problems import Problem, answer
from kong.plugins.runtime import metrics, redis_metrics
from kong.plugins.runtime.errors import AnswerTooLargeError
from kong.plugins.runtime.pdk import HANDED_OVER, Kong, Value
from kong.plugins.shared import Shared
from kong.plugins.traced import traced

version = "0.1.0"
priority = (
    1  # below every bundled plugin that answers in the upstream's place, which would leave a key reserved
)

REQUESTS = metrics.counter(
    "idempotency_requests_total",
    "Keyed requests by what became of them.",
    outcome=(
        "reserved",
        "replayed",
        "in_progress",
        "mismatch",
        "not_kept",
        "refused",
        "store_error",
        "left_to_the_service",
    ),
)
STATE = "idempotency"
"""The name in `kong.ctx.shared` under which the access phase leaves the reservation to the response phase."""

NOBODY = ("127.0.0.1", 0)
"""Nothing listens on this port, and nothing can."""

REPLAY_MARKS = {"Idempotent-Replayed": "true", "X-Idempotency-Replayed": "true"}

_links: Shared[tuple[str, float], RedisLink] = Shared(
    lambda key: RedisLink(*key, client_name="idempotency", ended=redis_metrics.ended)
)


@traced("idempotency")
class Plugin:
    """One configuration of the plugin; its phases run concurrently."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._redis_url = redis_url.find(config.redis_url, "IDEMPOTENCY_REDIS_PASSWORD")
        self.phase_deadline = self.config.wait + 2.0
        self._header_names = [name.lower() for name in self.config.header_names]
        self._caller_header = self.config.caller_header.lower()
        self._methods = frozenset(self.config.methods)
        self._kept = records.StatusRule(self.config.store_statuses)
        self._stored_headers = frozenset(name.lower() for name in self.config.stored_headers)
        self._secret = secret(redis_address.parse(self._redis_url).password)
        self._keys_expected = True
        """Whether the last request had a key: then the next one probably has, and Kong is asked for all at once."""
        self._limits = Limits(
            self.config.anonymous_per_network, self.config.anonymous_in_total, self.config.anonymous_ttl
        )
        self._reservations: Reservations
        self._counts: Counts

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with _links.use((self._redis_url, self.config.store_timeout)) as link:
            store = Store(link)
            self._counts = store
            self._reservations = Reservations(
                store,
                lease=self.config.lock_ttl,
                wait=self.config.wait,
                ttl=self.config.ttl,
                anonymous_ttl=self.config.anonymous_ttl,
            )
            try:
                yield
            finally:
                await self._reservations.close()

    async def access(self, kong: Kong) -> None:
        raw: RawRequest | None = None
        if self._keys_expected:
            headers, raw = await read_all(kong)
        else:
            headers = await read_headers(kong)
        preconditions.rename(kong, headers)
        try:
            key = find_key(headers, self._header_names)
        except MalformedKey as error:
            await self._refuse(kong, problems.malformed(str(error)))
        self._keys_expected = key is not None
        if key is None:
            if self.config.required and self._needs_key(await kong.request.get_method()):
                await self._refuse(kong, problems.required(self.config.header_names))
            return
        if str(headers.get("upgrade", "")).lower() == "websocket":
            await self._refuse(kong, problems.protocol_change())
        if header_limit.reached(headers):
            await self._refuse(kong, problems.too_many_headers(header_limit.MOST))
        request = await keyed_request(
            kong, headers, raw or await read_rest(kong), self._caller_header, self.config.max_request_body
        )
        if self._methods and request.method not in self._methods:
            return
        if request.body is None:
            await self._refuse(kong, problems.request_too_large(self.config.max_request_body))
        await self._reserve(kong, key, request, request.body)

    async def response(self, kong: Kong) -> None:
        if not self._keys_expected and not isinstance(await kong.ctx.shared.get(STATE), str):
            return  # asked alone, as most likely there is nothing more to ask
        state, status, headers, body = await _upstreams_answer(kong)
        if not isinstance(state, str):
            return  # no key, or no reservation of this request's
        claim = Claim.parse(state)
        most = min(self.config.max_body, LARGEST_BODY) if claim.anonymous else self.config.max_body
        conclusion = records.conclude(
            # Kept statuses are mostly others: then Kong need not be asked.
            method=await kong.request.get_method() if status in ABOUT_ONE_READING else "",
            status=status,
            headers=headers,
            body=body,
            kept=self._kept,
            stored_headers=self._stored_headers,
            max_body=most,
        )
        await self._reservations.end(claim, conclusion)

    async def _reserve(self, kong: Kong, key: str, request: KeyedRequest, body: bytes) -> None:
        claim = Claim(
            storage_key(
                caller=with_credentials(request.caller, request.credentials, self._secret),
                service=request.service,
                method=request.method,
                path=request.path,
                key=key,
            ),
            fingerprint(
                method=request.method,
                path=request.path,
                query=request.query,
                content_type=request.content_type,
                content_coding=request.content_coding,
                upstream_host=request.upstream_host,
                cookie=request.cookie,
                body=body,
                key=self._secret,
            ),
            request.owner,
            request.anonymous_at is not None,
        )
        try:
            if request.anonymous_at is not None:
                match await anonymous.admit(self._counts, self._limits, request.anonymous_at):
                    case Admission.NETWORK_FULL:
                        await self._refuse(kong, problems.too_many_keys(self._limits.window))
                    case Admission.TOTAL_FULL:
                        REQUESTS.labels(outcome="left_to_the_service").inc()
                        return
            finding = await self._reservations.make(claim, kong.request.get_method)
        except StoreUnavailableError:
            REQUESTS.labels(outcome="store_error").inc()
            if self.config.on_store_error == "accept":
                return
            await self._refuse(kong, problems.store_unavailable())
        match finding:
            case None:
                REQUESTS.labels(outcome="reserved").inc()
                kong.ctx.shared.set(STATE, str(claim))
            case Replay(outcome):
                REQUESTS.labels(outcome="replayed").inc()
                # Where the gateway's function for it is missing, the request reaches nobody: 502.
                kong.service.set_target(*NOBODY)
                kong.response.hand_over(
                    HANDED_OVER, outcome.status, outcome.body, outcomes.replayed(outcome) | REPLAY_MARKS
                )
            case InProgress(lease):
                await self._refuse(kong, problems.in_progress(lease), "in_progress")
            case Mismatch():
                await self._refuse(kong, problems.reused(), "mismatch")
            case Unreplayable(reason):
                await self._refuse(kong, problems.not_kept(reason), "not_kept")

    def _needs_key(self, method: str) -> bool:
        return method in self._methods if self._methods else method not in SAFE_METHODS

    async def _refuse(self, kong: Kong, problem: Problem, outcome: str = "refused") -> NoReturn:
        REQUESTS.labels(outcome=outcome).inc()
        await answer(kong, problem)


async def _upstreams_answer(kong: Kong) -> tuple[Value, int, dict[str, Any], bytes | None]:
    """The reservation that access left, and the answer's status, headers and body.

    The headers are as the client gets them, since Kong does not hand over upstream's; the body is None where it is too
    large for Kong to hand it over.
    """
    try:
        return await kong.gather(
            kong.ctx.shared.get(STATE),
            kong.service.response.get_status(),
            kong.response.get_headers(),
            kong.service.response.get_raw_body(),
        )
    except AnswerTooLargeError:
        rest = await kong.gather(
            kong.ctx.shared.get(STATE), kong.service.response.get_status(), kong.response.get_headers()
        )
        return (*rest, None)

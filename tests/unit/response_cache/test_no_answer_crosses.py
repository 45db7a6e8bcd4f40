"""Whatever is asked, by whom, and whatever upstream says and changes: no answer is another's, or of before a change.

Upstream writes into each answer for whom it made it and of which version of what is shown; a model knows both.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.unit.response_cache.gate import Answer, Gate

PEOPLE = [None, ("ada", "member"), ("ada", "admin,member"), ("bob", "member")]
ANSWER_HEADERS = st.fixed_dictionaries(
    {"cache-tag": st.sampled_from(["", "thing", "thing,list", "list"])},
    optional={
        "cache-control": st.sampled_from(
            ["public, no-cache", "private", "no-store", "max-age=9", "max-age=0"]
        ),
        "set-cookie": st.just("session=of-somebody"),
        "vary": st.sampled_from(["*", "Accept-Language", "Accept-Encoding", "Cookie"]),
        "etag": st.just('"a"'),
    },
)
REQUEST_HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "cookie": st.sampled_from(["session=ada", "session=bob"]),
        "authorization": st.sampled_from(["Bearer ada", "Bearer bob"]),
        "accept-language": st.sampled_from(["ko", "en"]),
        "if-none-match": st.sampled_from(['"a"', '"b"', "*"]),
        "cache-control": st.sampled_from(["no-cache", "no-store"]),
        "range": st.just("bytes=0-1"),
    },
)


class Said(msgspec.Struct):
    """What upstream writes into an answer's body."""

    path: str
    query: str
    user: str | None
    roles: str | None
    cookie: str | None
    token: str | None
    language: str | None
    version: int


class Shared(RuleBasedStateMachine):
    scope = "public"

    def __init__(self) -> None:
        super().__init__()
        self.version = 0
        self.says: dict[str, Any] = {"cache-tag": "thing"}
        self.status = 200
        self.gate = Gate(self.upstream, scope=self.scope, vary=["accept-language"])

    def upstream(self, headers: Mapping[str, Any], query: str) -> Answer:
        said = Said(
            self.path,
            query,
            headers.get("x-user-id"),
            headers.get("x-user-roles"),
            headers.get("cookie"),
            headers.get("authorization"),
            headers.get("accept-language"),
            self.version,
        )
        return Answer(self.status, msgspec.json.encode(said), dict(self.says))

    @rule(headers=ANSWER_HEADERS, status=st.sampled_from([200, 200, 200, 404, 500]))
    def upstream_answers_otherwise(self, headers: dict[str, str], status: int) -> None:
        self.says, self.status = headers, status

    @rule(
        beside=st.sampled_from([{}, {}, {"set-cookie": "session=of-somebody"}, {"vary": "Accept-Language"}])
    )
    def upstream_answers_what_may_be_kept_but_for_one_thing(self, beside: dict[str, str]) -> None:
        self.says, self.status = {"cache-tag": "thing", **beside}, 200

    @rule()
    def what_is_shown_changes(self) -> None:
        self.version += 1
        self.gate.watch.move("thing", "list", "path:/api/a", "path:/api/b")

    @rule(known=st.sampled_from([True, True, True, False]))
    def redis_comes_or_goes(self, known: bool) -> None:
        self.gate.watch.known = known

    @precondition(lambda self: self.gate.watch.known)
    @rule()
    def purged(self) -> None:
        self.gate.watch.move("*")

    @rule(who=st.sampled_from(PEOPLE), language=st.sampled_from(["ko", "en"]))
    def asked_plainly(self, who: tuple[str, str] | None, language: str) -> None:
        self._ask("/api/a", "", "GET", who, {"cookie": "session=ada", "accept-language": language})

    @rule(
        path=st.sampled_from(["/api/a", "/api/b"]),
        query=st.sampled_from(["", "?q=1", "?q=2", "?lang=ko&q=1", "?q=1&lang=ko", "?secret=1"]),
        method=st.sampled_from(["GET", "GET", "HEAD"]),
        who=st.sampled_from(PEOPLE),
        headers=REQUEST_HEADERS,
    )
    def asked(
        self, path: str, query: str, method: str, who: tuple[str, str] | None, headers: dict[str, str]
    ) -> None:
        self._ask(path, query, method, who, headers)

    def _ask(
        self, path: str, query: str, method: str, who: tuple[str, str] | None, headers: dict[str, str]
    ) -> None:
        self.path = path
        if who is not None:
            headers = headers | {"x-user-id": who[0], "x-user-roles": who[1]}
        before = self.gate.asked
        answer = asyncio.run(self.gate.ask(path + query, method, **headers))
        from_cache = self.gate.asked == before or "hit" in answer.cache
        if from_cache:
            assert "set-cookie" not in answer.headers
        if answer.status not in {200, 404, 500} or not answer.body:
            return
        said = msgspec.json.decode(answer.body, type=Said)
        assert said.path == path
        assert sorted(said.query.split("&")) == sorted(query[1:].split("&"))
        if from_cache:
            assert said.version == self.version
            assert said.language == headers.get("accept-language")
            self.is_theirs(said, who)

    def is_theirs(self, said: Said, who: tuple[str, str] | None) -> None:
        assert (said.user, said.roles, said.cookie, said.token) == (None, None, None, None)


class Personal(Shared):
    scope = "user"

    def is_theirs(self, said: Said, who: tuple[str, str] | None) -> None:
        assert who is not None
        assert said.user == who[0]
        assert sorted((said.roles or "").split(",")) == sorted(who[1].split(","))


TestShared = Shared.TestCase
TestPersonal = Personal.TestCase
TestShared.settings = TestPersonal.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)

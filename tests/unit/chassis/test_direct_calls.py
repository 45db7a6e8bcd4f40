"""A handler that is called directly answers as it does through the framework, whatever it is asked."""

import logging
from typing import Any
from uuid import UUID

import msgspec
import pytest
from httpx import AsyncClient
from litestar import Litestar, Request, Response, get
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from services.auth.web.tokens import TokenController
from services.bff.web.screens import home
from services.chassis import direct_calls
from services.chassis.app import create_app
from services.chassis.errors import Conflict, NotFound, Unauthenticated, Unavailable
from services.chassis.identity import CallerRequest, Identity
from services.chassis.injection import Injected, provided
from services.member.web.members import MembersController
from tests.in_process import running

ACCOUNT = UUID("00000000-0000-4000-8000-000000000001")


class Greeting(msgspec.Struct):
    text: str
    account: UUID


class TooSoonError(Exception):
    pass


class Greetings:
    def greet(self, how: str) -> str:
        match how:
            case "refuse":
                raise NotFound("There is nobody to greet.")
            case "too soon":
                raise TooSoonError("come later")
            case "fail":
                raise RuntimeError("a secret detail")
        return "hello"


@get("/greeting", roles=("member",))
async def greeting(request: CallerRequest, greetings: Injected[Greetings]) -> Response[Greeting]:
    how = request.headers.get("how", "")
    if how == "unreadable":
        return Response(object(), headers={"ETag": '"1"'})  # type: ignore[arg-type]
    body = Greeting(greetings.greet(how), request.user.subject)
    if how == "fine":
        return Response(body, status_code=200, headers={"ETag": '"1"'})
    if how == "created":
        return Response(body, status_code=201)
    if how == "text":
        return Response("hello", media_type="text/plain")  # type: ignore[arg-type]
    return Response(body, headers={"ETag": '"1"', "Cache-Control": "private, no-cache"})


@get("/anybody", public=True)
async def anybody(greetings: Injected[Greetings]) -> Response[Greeting]:
    return Response(Greeting(greetings.greet(""), ACCOUNT))


@get("/searched", public=True)
async def searched(greetings: Injected[Greetings], q: FromQuery[str] = "") -> Response[Greeting]:
    return Response(Greeting(q, ACCOUNT))


@get("/one/{number:int}", public=True)
async def one(number: FromPath[int]) -> Response[int]:
    return Response(number)


@get("/plain", public=True)
async def plain() -> int:
    return 1


@get("/keys", public=True, media_type="application/jwk-set+json")
async def keys() -> Response[dict[str, int]]:
    return Response({"keys": 1})


@get("/words", public=True)
async def words() -> Response[str]:
    return Response("a word")


class Tokens:
    async def authenticate(self, token: str) -> Identity:
        match token:
            case "bad":
                raise Unauthenticated("the access token is malformed")
            case "unknown":
                raise Unavailable("Which sessions have been ended is not known for now.")
        return Identity(ACCOUNT, ACCOUNT, frozenset(token.split("+")), 2e9, token)


def app() -> Litestar:
    return create_app(
        title="Test",
        handlers=[greeting, anybody, searched, one, plain, keys, words],
        authenticator=Tokens(),
        dependencies=provided(greetings=Greetings()),
        refusals={TooSoonError: Conflict},
    )


GOOD = {"Authorization": "Bearer member"}
REQUESTS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "good": ("GET", "/greeting", [*GOOD.items()]),
    "any host's name": ("GET", "/greeting", [*GOOD.items(), ("Host", "a.example:80")]),
    "no host": ("GET", "/greeting", [*GOOD.items(), ("Host", "")]),
    "a host that is none": ("GET", "/greeting", [*GOOD.items(), ("Host", "a b")]),
    "a query that nobody reads": ("GET", "/greeting?x=1&x=2", [*GOOD.items()]),
    "a slash at the end": ("GET", "/greeting/", [*GOOD.items()]),
    "head": ("HEAD", "/greeting", [*GOOD.items()]),
    "options": ("OPTIONS", "/greeting", []),
    "another method": ("POST", "/greeting", [*GOOD.items()]),
    "unchanged": ("GET", "/greeting", [*GOOD.items(), ("If-None-Match", '"1"')]),
    "another version": ("GET", "/greeting", [*GOOD.items(), ("If-Match", '"2"')]),
    "no token": ("GET", "/greeting", []),
    "a bad token": ("GET", "/greeting", [("Authorization", "Bearer bad")]),
    "a token that cannot be judged": ("GET", "/greeting", [("Authorization", "Bearer unknown")]),
    "two tokens": ("GET", "/greeting", [*GOOD.items(), ("Authorization", "Bearer other")]),
    "another role": ("GET", "/greeting", [("Authorization", "Bearer guest")]),
    "a refusal": ("GET", "/greeting", [*GOOD.items(), ("How", "refuse")]),
    "a domain's refusal": ("GET", "/greeting", [*GOOD.items(), ("How", "too soon")]),
    "a failure": ("GET", "/greeting", [*GOOD.items(), ("How", "fail")]),
    "a refusal of a head": ("HEAD", "/greeting", [*GOOD.items(), ("How", "refuse")]),
    "an answer that cannot be written": ("GET", "/greeting", [*GOOD.items(), ("How", "unreadable")]),
    "a status that is said": ("GET", "/greeting", [*GOOD.items(), ("How", "fine")]),
    "another status": ("GET", "/greeting", [*GOOD.items(), ("How", "created")]),
    "another media type": ("GET", "/greeting", [*GOOD.items(), ("How", "text")]),
    "for anybody": ("GET", "/anybody", []),
    "a media type of the handler's": ("GET", "/keys", []),
    "a text": ("GET", "/words", []),
    "for anybody, with a bad token": ("GET", "/anybody", [("Authorization", "Bearer bad")]),
}


async def _asked(client: AsyncClient, name: str) -> tuple[int, dict[str, str], bytes]:
    method, path, headers = REQUESTS[name]
    answer = await client.request(method, path, headers=[*headers, ("X-Request-Id", "the-same")])
    return answer.status_code, dict(answer.headers), answer.content


@pytest.mark.parametrize("name", REQUESTS)
async def test_answers_as_through_the_framework(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with running(app()) as client:
        direct = await _asked(client, name)
    monkeypatch.setattr(direct_calls, "calls", lambda _: {})
    async with running(app()) as client:
        assert direct == await _asked(client, name)


def test_only_what_the_framework_has_nothing_to_do_for_is_called_directly() -> None:
    made = app()
    assert {"/greeting", "/anybody"} <= direct_calls.calls(made).keys()
    assert not {"/searched", "/one/{number:int}", "/plain"} & direct_calls.calls(made).keys()


@pytest.mark.parametrize(
    ("path", "handlers", "parts"),
    [
        ("/api/home", home, ["screens"]),
        ("/api/members/me", MembersController, ["members"]),
        (
            "/api/auth/verify",
            TokenController,
            ["client", "guest_service", "login_service", "session_service", "token_reader"],
        ),
    ],
)
def test_the_reads_of_most_requests_are_called_directly(
    path: str, handlers: ControllerRouterHandler, parts: list[str]
) -> None:
    made = create_app(
        title="Test",
        handlers=[handlers],
        authenticator=Tokens(),
        dependencies=provided(**dict.fromkeys(parts)),
    )
    assert path in direct_calls.calls(made)


async def test_hooks_of_a_handler_are_not_left_out() -> None:
    def changed(answer: Response[Any]) -> Response[Any]:
        return answer

    async def after(_: Request[Any, Any, Any]) -> None:
        """Nothing: that it is there counts."""

    async def guard(*_: Any) -> None:
        """Nothing: that it is there counts."""

    @get("/changed", public=True, after_request=changed)
    async def with_change() -> Response[int]:
        return Response(1)

    @get("/after", public=True, after_response=after)
    async def with_after() -> Response[int]:
        return Response(1)

    @get("/guarded", public=True, guards=[guard])
    async def guarded() -> Response[int]:
        return Response(1)

    @get("/bare", public=True)
    async def bare() -> Response[int]:
        return Response(1)

    made = create_app(title="Test", handlers=[with_change, with_after, guarded, bare], authenticator=None)
    assert {"/changed", "/after", "/guarded", "/bare"} & direct_calls.calls(made).keys() == {"/bare"}

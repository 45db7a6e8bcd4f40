"""What a request gets from token-validator, by its token and by what works behind it."""

import time
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from common.access_tokens.jwk_set import VerificationKey
from kong.plugins.runtime import configuration
from kong.plugins.runtime.errors import ConfigError
from kong.plugins.token_validator import plugin as module
from kong.plugins.token_validator.config import Config
from kong.plugins.token_validator.plugin import Plugin
from tests.fake_kong import Answer, FakeKong
from tests.unit.common.issuing import (
    AUDIENCE,
    ISSUER,
    SESSION,
    SIGNER,
    STRANGER,
    SUBJECT,
    claims,
    header,
    signed,
)

CONFIG: dict[str, Any] = {
    "issuer": ISSUER,
    "audience": AUDIENCE,
    "jwks_url": "http://auth/jwks.json",
    "redis_url": "redis://redis:6379/0",
}
IDENTITY_HEADERS = ("X-User-Id", "X-User-Roles", "X-Session-Id")


class Keys:
    """Auth's key set as the test wants it."""

    def __init__(self) -> None:
        self.known = MappingProxyType({"k1": VerificationKey("ES256", SIGNER)})
        self.asked: list[str] = []
        self.published = self.known
        self.room = True

    async def look_again(self, key_id: str) -> bool:
        self.asked.append(key_id)
        if self.room and self.known != self.published:
            self.known = self.published
        return self.room


class Watch:
    """The revocations as the test wants them."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.is_current = True
        self.settles = False

    def current(self) -> bool:
        return self.is_current

    async def settle(self, patience: float) -> bool:
        return self.is_current or self.settles


def made(given: dict[str, Any]) -> Plugin:
    """The plugin of what Kong sends, as the runtime makes it."""
    return Plugin(configuration.read(Config, given))


class Gateway:
    """A plugin whose surroundings are the test's."""

    def __init__(self, **changes: Any) -> None:
        self.plugin = made(CONFIG | changes)
        self.keys, self.watch = Keys(), Watch()
        self.plugin._keys, self.plugin._watch = self.keys, self.watch  # type: ignore[assignment]

    async def ask(self, authorization: str | None = None, **headers: Any) -> tuple[Answer | None, FakeKong]:
        kong = FakeKong(headers=dict(headers))
        if authorization is not None:
            kong.headers["authorization"] = authorization
        return await kong.run(self.plugin, "access"), kong


def token(key: Any = SIGNER, **changes: Any) -> str:
    now = time.time()
    return signed(header(), claims(**{"iat": now - 1, "exp": now + 600} | changes), key)


def challenge(answer: Answer | None) -> object:
    assert answer is not None
    return answer.headers["WWW-Authenticate"]


async def test_a_good_token_goes_upstream_with_the_identity() -> None:
    answer, kong = await Gateway().ask(f"Bearer {token(roles=['member', 'admin'])}")
    assert answer is None
    assert kong.upstream == {"X-User-Id": SUBJECT, "X-User-Roles": "member,admin", "X-Session-Id": SESSION}


async def test_a_request_costs_one_question_and_one_statement() -> None:
    _, kong = await Gateway().ask(f"Bearer {token()}")
    assert kong.calls == ["kong.request.get_header", "kong.service.request.set_headers"]


@pytest.mark.parametrize("written", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} \t"])
async def test_the_scheme_is_compared_without_case_and_blanks_around_mean_nothing(written: str) -> None:
    answer, _ = await Gateway().ask(written.format(token()))
    assert answer is None


@pytest.mark.parametrize("authorization", [None, "", "Basic dXNlcjpwYXNz", "Digest x", "Bearer", "Token abc"])
async def test_without_a_bearer_token_the_challenge_names_no_error(authorization: str | None) -> None:
    answer, kong = await Gateway().ask(authorization)
    assert answer is not None
    assert answer.status == 401
    assert challenge(answer) == 'Bearer realm="api"'
    assert answer.problem()["type"] == "/problems/token-missing"
    assert not kong.upstream


async def test_a_refusal_is_a_whole_problem() -> None:
    answer, _ = await Gateway().ask("Bearer nonsense", **{"x-request-id": "r-1"})
    assert answer is not None
    assert answer.problem() == {
        "type": "/problems/token-invalid",
        "title": "Access token not accepted",
        "status": 401,
        "detail": "The access token is malformed.",
        "instance": "/api/home",
        "request_id": "r-1",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert challenge(answer) == (
        'Bearer realm="api", error="invalid_token", error_description="The access token is malformed."'
    )


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer nonsense",
        "Bearer\t" + token(),
        "Bearer " + token() + ", Bearer " + token(),
        "Bearer " + token(STRANGER),
        "Bearer " + token(exp=time.time() - 1),
        "Bearer " + "x" * 9000,
    ],
)
async def test_a_bad_token_never_goes_upstream(authorization: str) -> None:
    for optional in (False, True):
        answer, kong = await Gateway(optional=optional).ask(authorization)
        assert answer is not None
        assert answer.status == 401
        assert not kong.upstream


@pytest.mark.parametrize("nothing", [None, "", " \t"])
async def test_where_a_token_is_optional_anonymous_requests_pass_without_an_identity(
    nothing: str | None,
) -> None:
    answer, kong = await Gateway(optional=True).ask(nothing, **{"x-user-id": "forged"})
    assert answer is None
    assert kong.upstream == dict.fromkeys(IDENTITY_HEADERS)


async def test_where_a_token_is_optional_another_scheme_is_still_refused() -> None:
    answer, _ = await Gateway(optional=True).ask("Basic dXNlcjpwYXNz")
    assert answer is not None
    assert answer.status == 401


async def test_every_required_role_is_required() -> None:
    gateway = Gateway(required_roles=["admin", "auditor"])
    answer, kong = await gateway.ask(f"Bearer {token(roles=['admin'])}")
    assert answer is not None
    assert answer.status == 403
    assert answer.problem()["type"] == "/problems/insufficient-scope"
    assert challenge(answer) == 'Bearer realm="api", error="insufficient_scope"'
    assert not kong.upstream
    answer, _ = await gateway.ask(f"Bearer {token(roles=['auditor', 'admin', 'member'])}")
    assert answer is None


@pytest.mark.parametrize("required", [{"required_roles": ["admin"]}, {"required_scopes": ["orders:write"]}])
async def test_a_token_that_is_remembered_gets_no_more_than_at_first(required: dict[str, list[str]]) -> None:
    gateway = Gateway(**required)
    bearer = f"Bearer {token(roles=['member'], scope='orders:read')}"
    for _ in range(3):
        answer, kong = await gateway.ask(bearer)
        assert answer is not None
        assert answer.status == 403
        assert not kong.upstream


async def test_every_required_scope_is_required_and_named() -> None:
    gateway = Gateway(required_scopes=["orders:read", "orders:write"])
    answer, _ = await gateway.ask(f"Bearer {token(scope='orders:read')}")
    assert (
        challenge(answer)
        == 'Bearer realm="api", error="insufficient_scope", scope="orders:read orders:write"'
    )
    answer, _ = await gateway.ask(f"Bearer {token(scope='orders:write orders:read')}")
    assert answer is None


async def test_header_names_are_the_configurations() -> None:
    gateway = Gateway(
        token_header="X-Token", user_id_header="U", roles_header="R", session_id_header="S", realm="shop"
    )
    answer, kong = await gateway.ask(None, **{"x-token": f"Bearer {token()}"})
    assert answer is None
    assert kong.upstream == {"U": SUBJECT, "R": "member", "S": SESSION}
    answer, _ = await gateway.ask(f"Bearer {token()}")
    assert challenge(answer) == 'Bearer realm="shop"'


async def test_a_revoked_session_is_refused_even_with_a_remembered_token() -> None:
    gateway, bearer = Gateway(), f"Bearer {token()}"
    assert (await gateway.ask(bearer))[0] is None
    gateway.watch.revoked.add(SESSION)
    answer, kong = await gateway.ask(bearer)
    assert answer is not None
    assert answer.problem()["detail"] == "The session has been ended."
    assert not kong.upstream


async def test_a_token_signed_with_a_withdrawn_key_is_refused_although_it_was_remembered() -> None:
    gateway, bearer = Gateway(), f"Bearer {token()}"
    assert (await gateway.ask(bearer))[0] is None
    gateway.keys.known = gateway.keys.published = MappingProxyType({"k2": VerificationKey("ES256", STRANGER)})
    answer, _ = await gateway.ask(bearer)
    assert answer is not None
    assert answer.problem()["detail"] == "The access token's key is not known."


async def test_a_remembered_token_expires_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    expires = time.time() + 60
    gateway, bearer = Gateway(), f"Bearer {token(exp=expires)}"
    assert (await gateway.ask(bearer))[0] is None
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: expires))
    answer, _ = await gateway.ask(bearer)
    assert answer is not None
    assert answer.problem()["detail"] == "The access token has expired."


async def test_a_new_key_is_looked_for_once() -> None:
    gateway = Gateway()
    gateway.keys.published = MappingProxyType({"k2": VerificationKey("ES256", STRANGER)})
    bearer = f"Bearer {signed(header(kid='k2'), claims(iat=time.time(), exp=time.time() + 60), STRANGER)}"
    assert (await gateway.ask(bearer))[0] is None
    assert (await gateway.ask(bearer))[0] is None
    assert gateway.keys.asked == ["k2"]


async def test_where_too_many_wait_for_keys_no_token_is_said_to_be_bad() -> None:
    gateway = Gateway()
    gateway.keys.room = False
    gateway.keys.published = MappingProxyType({"k2": VerificationKey("ES256", STRANGER)})
    bearer = f"Bearer {signed(header(kid='k2'), claims(iat=time.time(), exp=time.time() + 60), STRANGER)}"
    answer, _ = await gateway.ask(bearer)
    assert answer is not None and answer.problem()["type"] == "/problems/token-keys-unavailable"
    gateway.keys.room = True
    assert (await gateway.ask(bearer))[0] is None


async def test_before_any_key_is_known_the_answer_is_503() -> None:
    gateway = Gateway()
    gateway.keys.known = gateway.keys.published = MappingProxyType({})
    answer, kong = await gateway.ask(f"Bearer {token()}")
    assert answer is not None
    assert answer.status == 503
    assert answer.problem()["type"] == "/problems/token-keys-unavailable"
    assert answer.headers["Retry-After"] == "1"
    assert not kong.upstream


async def test_while_redis_is_down_tokens_are_refused_with_503() -> None:
    gateway = Gateway()
    gateway.watch.is_current = False
    answer, kong = await gateway.ask(f"Bearer {token()}")
    assert answer is not None
    assert answer.status == 503
    assert answer.problem()["type"] == "/problems/token-revocations-unavailable"
    assert answer.problem()["retryable"] is True
    assert not kong.upstream


async def test_while_redis_is_down_accept_lets_good_tokens_pass_but_no_revoked_one() -> None:
    gateway = Gateway(on_store_error="accept")
    gateway.watch.is_current = False
    assert (await gateway.ask(f"Bearer {token()}"))[0] is None
    gateway.watch.revoked.add(SESSION)
    answer, _ = await gateway.ask(f"Bearer {token()}")
    assert answer is not None
    assert answer.status == 401


async def test_a_bad_token_is_told_so_while_redis_is_down() -> None:
    gateway = Gateway()
    gateway.watch.is_current = False
    answer, _ = await gateway.ask("Bearer nonsense")
    assert answer is not None
    assert answer.status == 401


async def test_a_session_that_turns_out_revoked_while_the_log_is_read_is_refused() -> None:
    gateway = Gateway()
    gateway.watch.is_current, gateway.watch.settles = False, True
    assert (await gateway.ask(f"Bearer {token()}"))[0] is None

    async def settle(patience: float) -> bool:
        gateway.watch.revoked.add(SESSION)
        return True

    gateway.watch.settle = settle  # type: ignore[method-assign]
    answer, _ = await gateway.ask(f"Bearer {token()}")
    assert answer is not None
    assert answer.status == 401


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"issuer": None}, "issuer"),
        ({"jwks_url": "ftp://x"}, "jwks_url"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"leeway": 61}, "leeway"),
        ({"leeway": "5"}, "leeway"),
        ({"optional": "yes"}, "optional"),
        ({"cache_size": 1.5}, "cache_size"),
        ({"realm": 'a"b'}, "realm"),
        ({"on_store_error": "ignore"}, "on_store_error"),
        ({"user_id_header": "a b"}, "user_id_header"),
        ({"redis_url": "http://redis"}, "redis_url"),
    ],
)
def test_a_wrong_configuration_is_refused_by_the_fields_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError) as error:
        made(CONFIG | changes)
    assert error.value.field == field


def test_numbers_that_kong_sends_as_floats_and_null_for_unset_fields_are_fine() -> None:
    plugin = made(CONFIG | {"cache_size": 500.0, "leeway": 1.0, "required_roles": {}, "realm": None})
    assert plugin.config.cache_size == 500
    assert plugin.config.required_roles == ()
    assert plugin.config.realm == "api"


def test_redis_may_be_named_by_the_environment_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: value for name, value in CONFIG.items() if name != "redis_url"}
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(ConfigError, match="redis_url"):
        made(given)
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:6379/0")
    assert made(given)._revocation_source.redis_url == "redis://elsewhere:6379/0"

"""Lets requests with a good access token through, with the caller's identity in headers for the upstream.

Only the sequence is here: common/access_tokens judges tokens, has auth's public keys and knows the ended sessions.
Redis down: 503 (`on_store_error: reject`); auth down: the keys known so far stay good.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from common.access_tokens.credentials import bearer_token, said
from common.access_tokens.public_keys import KeySource, PublicKeys
from common.access_tokens.revocations import RevocationSource, RevocationWatch
from common.access_tokens.verified import VerifiedTokens
from common.access_tokens.verifier import Expected, Identity, Rejected, UnknownKey, verify
from kong.plugins import redis_url, traced
from kong.plugins.problems import answer
from kong.plugins.runtime import metrics
from kong.plugins.runtime.at_once import AtOnce
from kong.plugins.runtime.pdk import ConstantHeaders, Kong
from kong.plugins.runtime.pdk.service import set_headers
from kong.plugins.shared import Shared
from kong.plugins.token_validator import problems
from kong.plugins.token_validator.config import Config

version = "0.1.0"
priority = 1450  # where Kong's own authentication plugins are: before anything that asks who the caller is

TOKENS = metrics.counter(
    "token_validator_requests_total",
    "Requests by what was found of their token.",
    verdict=(
        "remembered",
        "verified",
        "invalid",
        "revoked",
        "missing",
        "anonymous",
        "insufficient",
        "unknowable",
    ),
)

_REMEMBERED = TOKENS.labels(verdict="remembered")

SETTLE = 1.0
"""Seconds that a request may wait while the revocations are first read, or read again after a lost connection."""

FETCHES = metrics.counter(
    "token_validator_jwks_fetches_total", "Fetches of the key set.", outcome=("ok", "failed")
)


def _count_fetch(succeeded: bool) -> None:
    FETCHES.labels(outcome="ok" if succeeded else "failed").inc()


_keys: Shared[KeySource, PublicKeys] = Shared(lambda source: PublicKeys(source, _count_fetch))
_watches: Shared[RevocationSource, RevocationWatch] = Shared(RevocationWatch)


class Caller(msgspec.Struct, frozen=True):
    """What each request with one token gets: whom it speaks for, in the headers that upstream is told it by."""

    identity: Identity
    headers: ConstantHeaders
    said: tuple[bytes]
    """The statement of these headers."""
    sufficient: bool
    """Whether it has the roles and scopes that this configuration requires."""


@traced.traced("token-validator")
class Plugin:
    """One configuration of the plugin; its phases run concurrently."""

    def __init__(self, config: Config) -> None:
        self.config = settings = config
        self._expected = Expected(
            issuer=settings.issuer,
            audience=settings.audience,
            algorithms=frozenset(settings.algorithms),
            leeway=settings.leeway,
            max_size=settings.max_token_size,
        )
        self._key_source = KeySource(
            settings.jwks_url, settings.jwks_refresh, settings.jwks_cooldown, settings.jwks_timeout
        )
        self._revocation_source = RevocationSource(
            redis_url.find(settings.redis_url, "TOKEN_VALIDATOR_REDIS_PASSWORD"),
            settings.revocation_stream,
            settings.revocation_silence,
            "token-validator",
        )
        self._rejects = settings.on_store_error == "reject"
        self._roles, self._scopes = frozenset(settings.required_roles), frozenset(settings.required_scopes)
        self._verified: VerifiedTokens[Caller] = VerifiedTokens(settings.cache_size)
        # Kong gives a silent plugin 3 s; in the worst case keys and revocations are both waited for.
        self.phase_deadline = settings.jwks_timeout + SETTLE + 0.3
        self.at_once = {
            "access": AtOnce(lambda kong: kong.request.get_header(settings.token_header), self._pass_at_once)
        }
        self._keys: PublicKeys
        self._watch: RevocationWatch

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        async with _keys.use(self._key_source) as keys, _watches.use(self._revocation_source) as watch:
            self._keys, self._watch = keys, watch
            yield

    async def access(self, kong: Kong) -> None:
        # nginx refuses a request with two Authorization lines (ngx_http_process_unique_header_line), so the
        # first value is the only one.
        header = await kong.request.get_header(self.config.token_header)
        token = bearer_token(header)
        if self.config.optional and not said(header):
            TOKENS.labels(verdict="anonymous").inc()
            for name in self._identity_headers():
                kong.service.request.clear_header(name)
            return
        if not token:
            TOKENS.labels(verdict="missing").inc()
            await answer(kong, problems.missing(self.config.realm))
        now = time.time()
        caller = self._remembered(token, now)
        if caller is None:
            caller = await self._judge(kong, token, now)
        else:
            _REMEMBERED.inc()
        if not self._stands(caller.identity):
            await self._settle(kong, caller.identity)
        if not caller.sufficient:
            TOKENS.labels(verdict="insufficient").inc()
            await answer(
                kong,
                problems.insufficient(
                    self.config.realm, self.config.required_roles, self.config.required_scopes
                ),
            )
        kong.service.request.set_headers(caller.headers)

    def _pass_at_once(self, header: str | None) -> tuple[bytes] | None:
        """As `access` for a token that was verified before and that nothing stands against; None for all others."""
        if header is None or not header.startswith("Bearer "):
            return None
        caller = self._remembered(header[7:], time.time())
        if caller is None or not caller.sufficient or not self._stands(caller.identity):
            return None
        _REMEMBERED.inc()
        return caller.said

    def _remembered(self, token: str, now: float) -> Caller | None:
        """Whom a token speaks for that was verified before."""
        if len(token) > self.config.max_token_size:
            return None
        return self._verified.get(token, self._keys.known, now)

    async def _judge(self, kong: Kong, token: str, now: float) -> Caller:
        """Whom the token speaks for, or the end of the phase."""
        await traced.begin(kong)
        caller = self._caller(await self._verify(kong, token, now))
        self._verified.put(token, self._keys.known, caller.identity.expires, caller)
        return caller

    def _stands(self, identity: Identity) -> bool:
        """Whether it is known that the session has not been ended, or need not be known."""
        return identity.session not in self._watch.revoked and (not self._rejects or self._watch.current())

    def _caller(self, identity: Identity) -> Caller:
        """What all requests of this token get."""
        headers = {
            self.config.user_id_header: identity.subject,
            self.config.roles_header: ",".join(identity.roles),
            self.config.session_id_header: identity.session,
        }
        sufficient = self._roles.issubset(identity.roles) and self._scopes <= identity.scopes
        constant = ConstantHeaders(headers)
        return Caller(identity, constant, (set_headers(constant),), sufficient)

    async def _verify(self, kong: Kong, token: str, now: float) -> Identity:
        verdict, looked = verify(token, self._keys.known, self._expected, now), True
        if isinstance(verdict, UnknownKey):
            looked = await self._keys.look_again(verdict.key_id)
            verdict = verify(token, self._keys.known, self._expected, now)
        match verdict:
            case Identity():
                TOKENS.labels(verdict="verified").inc()
                return verdict
            case UnknownKey() if not (looked and self._keys.known):
                TOKENS.labels(verdict="unknowable").inc()
                await answer(kong, problems.keys_unavailable())
            case UnknownKey():
                reason = "The access token's key is not known."
            case Rejected(reason):
                pass
        TOKENS.labels(verdict="invalid").inc()
        return await answer(kong, problems.invalid(self.config.realm, reason))

    async def _settle(self, kong: Kong, identity: Identity) -> None:
        """Waits a moment for the revocations to be known again, and refuses where they are not, or name the session."""
        if identity.session in self._watch.revoked:
            TOKENS.labels(verdict="revoked").inc()
            await answer(kong, problems.invalid(self.config.realm, "The session has been ended."))
        if not await self._watch.settle(SETTLE):
            TOKENS.labels(verdict="unknowable").inc()
            await answer(kong, problems.revocations_unavailable())
        if identity.session in self._watch.revoked:
            TOKENS.labels(verdict="revoked").inc()
            await answer(kong, problems.invalid(self.config.realm, "The session has been ended."))

    def _identity_headers(self) -> tuple[str, str, str]:
        return self.config.user_id_header, self.config.roles_header, self.config.session_id_header

"""auth's list of parts, and how they are put together."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from common.http_client import HttpClient
from services.auth.adapters import carry_over, demo_data, sealing, tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.authentication import LocalAuthenticator
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.adapters.hashing import Argon2Passwords
from services.auth.adapters.keyring import Keyring
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.mail_messages import CONFIRMATION, MAIL, OutboxMail
from services.auth.adapters.mail_target import MailTarget
from services.auth.adapters.member_message import OutboxMemberMessage
from services.auth.adapters.revocation_keeping import RevocationKeeping
from services.auth.adapters.revocations_redis import RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.adapters.throttle_redis import RedisThrottle
from services.auth.application.administration import Administration
from services.auth.application.email_changes import EmailChanges
from services.auth.application.gate import Gate
from services.auth.application.issuing import Issuer
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.mailing import Mailing
from services.auth.application.password_care import PasswordCare
from services.auth.application.password_check import PasswordCheck
from services.auth.application.registration import Registration
from services.auth.application.session_care import SessionCare
from services.auth.application.signing_in import SignIn
from services.auth.commands import MIGRATIONS
from services.auth.settings import Settings
from services.auth.web.accounts import AccountController, set_status
from services.auth.web.client import ClientReader
from services.auth.web.emails import EmailController, keep_email, set_account_email
from services.auth.web.keys import jwks
from services.auth.web.passwords import PasswordController
from services.auth.web.refusals import REFUSALS
from services.auth.web.sessions import SessionController
from services.auth.web.tokens import TokenController
from services.chassis import metrics, outbox
from services.chassis.app import create_app
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.mail.delivery import delivery
from services.chassis.migrations import migrate
from services.chassis.redis import REFUSALS as REDIS_REFUSALS
from services.chassis.redis import Redis


def build(settings: Settings, *, clock: Callable[[], float] = time.time) -> Litestar:
    registry = metrics.new_registry()
    database, redis, http = tables.bound(settings.database_url), Redis(settings.redis_url), HttpClient()
    keyring = Keyring(
        PostgresKeys(database, sealing.derive(settings.master_key, "signing keys at rest")),
        outlives=settings.lifetimes.access,
        clock=clock,
    )
    issuer = Issuer(
        name=settings.token_issuer,
        audience=settings.token_audience,
        lifetimes=settings.lifetimes,
        tag_key=sealing.derive(settings.master_key, "refresh token tag"),
        signer=keyring,
        clock=clock,
        random=os.urandom,
    )
    hasher = Argon2Passwords(
        settings.argon2, threads=settings.hashing_threads, waiting=settings.argon2_waiting
    )
    accounts = PostgresAccounts(database, OutboxMemberMessage(database))
    sessions = PostgresSessions(database, settings.lifetimes, most=settings.sessions_per_account)
    revocations, mailed = RedisRevocations(redis.client, settings.lifetimes), PostgresLinks(database)
    keeping = RevocationKeeping(sessions, mailed, revocations, settings.lifetimes, clock=clock)
    throttle, audit = RedisThrottle(redis.client), LoggedAudit(registry)
    links = MailedLinks(
        accounts=accounts,
        links=mailed,
        key=sealing.derive(settings.master_key, "mailed links"),
        reset_within=settings.password_reset_seconds,
        confirm_within=settings.email_confirm_seconds,
    )
    mail = OutboxMail(database)
    mails = MailTarget(
        Mailing(accounts=accounts, links=links),
        EmailTemplates(settings.site, settings.mail_from),
        delivery(settings.mail_url),
        clock=clock,
    )
    member = outbox.HttpTarget(http, settings.member_url, internal_key=settings.internal_api_key)
    delivering = outbox.Delivery(
        outbox.OutboxStore(database),
        targets={"member": member, MAIL: mails, CONFIRMATION: mails},
        registry=registry,
    )
    idempotency = Idempotency(
        Records(database, ttl=settings.idempotency_ttl),
        secret=sealing.derive(settings.master_key, "idempotency fingerprints"),
    )
    gate = Gate(hasher=hasher, throttle=throttle, limits=settings.limits, clock=clock)
    care = SessionCare(
        accounts=accounts, sessions=sessions, revocations=revocations, issuer=issuer, audit=audit
    )
    sign_in = SignIn(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        gate=gate,
        issuer=issuer,
        audit=audit,
    )
    check = PasswordCheck(gate=gate, audit=audit)
    registration = Registration(
        accounts=accounts, work=database, gate=gate, mail=mail, issuer=issuer, audit=audit
    )
    email_changes = EmailChanges(
        accounts=accounts, work=database, gate=gate, check=check, links=links, mail=mail, audit=audit
    )
    password_care = PasswordCare(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        gate=gate,
        check=check,
        links=links,
        mail=mail,
        issuer=issuer,
        audit=audit,
    )
    administration = Administration(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        audit=audit,
        clock=clock,
    )
    authenticator = LocalAuthenticator(keyring, issuer, care)

    @asynccontextmanager
    async def prepared() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        await carry_over.sessions(database, redis.client, settings.lifetimes, clock())
        if settings.loads_demo_data:
            await demo_data.load(accounts, hasher)
        yield
        hasher.close()

    def given(part: Any) -> Provide:
        return Provide(lambda: part, sync_to_thread=False)

    return create_app(
        title="auth",
        handlers=[
            TokenController,
            AccountController,
            EmailController,
            SessionController,
            PasswordController,
            set_account_email,
            keep_email,
            set_status,
            jwks,
        ],
        authenticator=authenticator,
        internal_key=settings.internal_api_key,
        dependencies={
            "accounts": given(accounts),
            "administration": given(administration),
            "client": Provide(ClientReader(settings.trusted_proxies, registry), sync_to_thread=False),
            "email_changes": given(email_changes),
            "idempotency": given(idempotency),
            "password_care": given(password_care),
            "public_keys": given(keyring),
            "registration": given(registration),
            "session_care": given(care),
            "sign_in": given(sign_in),
            "token_reader": given(authenticator),
        },
        refusals={**REDIS_REFUSALS, **REFUSALS},
        lifespan=[
            database.lifespan,
            redis.lifespan,
            prepared,
            keyring.lifespan,
            keeping.lifespan,
            http.lifespan,
            delivering.lifespan,
            idempotency.lifespan,
        ],
        checks={"postgres": database.check, "redis": redis.check},
        registry=registry,
    )

"""The auth service's parts, put together."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide

from common.telemetry.calls import RedisCommands
from services.auth.adapters import carry_over, demo_data, encryption, tables
from services.auth.adapters.accounts_postgres import PostgresAccounts
from services.auth.adapters.audit import LoggedAudit
from services.auth.adapters.authentication import LocalAuthenticator
from services.auth.adapters.email_templates import EmailTemplates
from services.auth.adapters.hashing import Argon2Passwords
from services.auth.adapters.keyring import Keyring
from services.auth.adapters.keys_postgres import PostgresKeys
from services.auth.adapters.links_postgres import PostgresLinks
from services.auth.adapters.mail_messages import CONFIRMATION, MAIL, OutboxMail
from services.auth.adapters.mail_writer import MailWriter
from services.auth.adapters.member_message import OutboxMemberMessage
from services.auth.adapters.revocation_keeping import RevocationKeeping
from services.auth.adapters.revocations_redis import RedisRevocations
from services.auth.adapters.sessions_postgres import PostgresSessions
from services.auth.adapters.throttle_redis import RedisThrottle
from services.auth.application.account_service import AccountService
from services.auth.application.email_service import EmailService
from services.auth.application.guest_service import GuestService
from services.auth.application.login_guard import LoginGuard
from services.auth.application.login_service import LoginService
from services.auth.application.mailed_links import MailedLinks
from services.auth.application.mailing import Mailing
from services.auth.application.password_check import PasswordCheck
from services.auth.application.password_service import PasswordService
from services.auth.application.registration_service import RegistrationService
from services.auth.application.session_service import SessionService
from services.auth.application.token_issuer import TokenIssuer
from services.auth.commands import MIGRATIONS
from services.auth.settings import Settings
from services.auth.web.accounts import AccountController
from services.auth.web.client import ClientReader
from services.auth.web.emails import EmailController, set_account_email
from services.auth.web.internal import keep_email, set_status
from services.auth.web.keys import jwks
from services.auth.web.passwords import PasswordController
from services.auth.web.refusals import REFUSALS
from services.auth.web.sessions import SessionController
from services.auth.web.tokens import TokenController
from services.chassis import metrics, outbox
from services.chassis.app import create_app
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.injection import provided
from services.chassis.mail.delivery import delivery
from services.chassis.mail.target import MailTarget
from services.chassis.migrations import migrate
from services.chassis.outbox.administration import administration as outbox_administration
from services.chassis.redis import REFUSALS as REDIS_REFUSALS
from services.chassis.redis import Redis


def build(settings: Settings, *, clock: Callable[[], float] = time.time) -> Litestar:
    registry = metrics.new_registry()
    database = tables.bound(
        settings.database_url,
        pool_max=settings.pool_max,
        statement_timeout=settings.statement_timeout,
        registry=registry,
    )
    redis = Redis(settings.redis_url, ended=RedisCommands(registry).ended)
    client = metrics.measured_client(registry)
    keyring = Keyring(
        PostgresKeys(database, encryption.derive_key(settings.master_key, "signing keys at rest")),
        outlives=settings.lifetimes.access,
        clock=clock,
    )
    issuer = TokenIssuer(
        name=settings.token_issuer,
        audience=settings.token_audience,
        lifetimes=settings.lifetimes,
        tag_key=encryption.derive_key(settings.master_key, "refresh token tag"),
        signer=keyring,
        clock=clock,
        random=os.urandom,
    )
    hasher = Argon2Passwords(
        settings.argon2, threads=settings.hashing_threads, waiting=settings.argon2_waiting
    )
    accounts = PostgresAccounts(database, OutboxMemberMessage(database))
    sessions = PostgresSessions(database, settings.lifetimes, most=settings.sessions_per_account)
    revocations, mailed = RedisRevocations(redis, settings.lifetimes), PostgresLinks(database)
    keeping = RevocationKeeping(sessions, mailed, revocations, settings.lifetimes, clock=clock)
    throttle, audit = RedisThrottle(redis.client), LoggedAudit(registry)
    links = MailedLinks(
        accounts=accounts,
        links=mailed,
        key=encryption.derive_key(settings.master_key, "mailed links"),
        reset_within=settings.password_reset_seconds,
        confirm_within=settings.email_confirm_seconds,
    )
    mail = OutboxMail(database)
    writer = MailWriter(
        Mailing(accounts=accounts, links=links), EmailTemplates(settings.site, settings.mail_from)
    )
    mails = MailTarget(writer, delivery(settings.mail_url), clock=clock)
    member = outbox.HttpTarget(client, settings.member_url, internal_key=settings.internal_api_key)
    delivering = outbox.Delivery(
        outbox.OutboxStore(database),
        targets={"member": member, MAIL: mails, CONFIRMATION: mails},
        registry=registry,
    )
    idempotency = Idempotency(
        Records(database, ttl=settings.idempotency_ttl),
        secret=encryption.derive_key(settings.master_key, "idempotency fingerprints"),
    )
    guard = LoginGuard(hasher=hasher, throttle=throttle, limits=settings.limits, clock=clock)
    session_service = SessionService(
        accounts=accounts, sessions=sessions, revocations=revocations, issuer=issuer, audit=audit
    )
    login_service = LoginService(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        guard=guard,
        issuer=issuer,
        audit=audit,
    )
    guest_service = GuestService(
        sessions=sessions, throttle=throttle, limit=settings.limits.guests, issuer=issuer, audit=audit
    )
    check = PasswordCheck(guard=guard, audit=audit)
    registration_service = RegistrationService(
        accounts=accounts, work=database, guard=guard, mail=mail, issuer=issuer, audit=audit
    )
    email_service = EmailService(
        accounts=accounts, work=database, guard=guard, check=check, links=links, mail=mail, audit=audit
    )
    password_service = PasswordService(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        guard=guard,
        check=check,
        links=links,
        mail=mail,
        issuer=issuer,
        audit=audit,
    )
    account_service = AccountService(
        accounts=accounts,
        sessions=sessions,
        revocations=revocations,
        work=database,
        audit=audit,
        clock=clock,
    )
    authenticator = LocalAuthenticator(keyring, issuer, session_service)

    @asynccontextmanager
    async def schema() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        await carry_over.sessions(database, redis.client, settings.lifetimes, clock())
        if settings.demo_data:
            await demo_data.load(accounts, hasher)
        yield
        hasher.close()

    return create_app(
        title="Gatehouse auth",
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
            outbox_administration("auth", database),
        ],
        authenticator=authenticator,
        internal_key=settings.internal_api_key,
        dependencies={
            "client": Provide(ClientReader(settings.trusted_proxies, registry), sync_to_thread=False),
            **provided(
                accounts=accounts,
                account_service=account_service,
                email_service=email_service,
                guest_service=guest_service,
                login_service=login_service,
                password_service=password_service,
                public_keys=keyring,
                registration_service=registration_service,
                session_service=session_service,
                token_reader=authenticator,
            ),
        },
        state={"idempotency": idempotency},
        refusals={**REDIS_REFUSALS, **REFUSALS},
        lifespan=[
            database.lifespan,
            redis.lifespan,
            schema,
            keyring.lifespan,
            keeping.lifespan,
            client.lifespan,
            delivering.lifespan,
            idempotency.lifespan,
        ],
        checks={"postgres": database.check, "redis": redis.check},
        registry=registry,
    )

"""The member service's parts, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from litestar import Litestar

from services.chassis import metrics, outbox
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.injection import provided
from services.chassis.migrations import migrate
from services.chassis.outbox.administration import administration as outbox_administration
from services.chassis.postgres import Database
from services.member.adapters import demo_data
from services.member.adapters.account_messages import OutboxAccounts
from services.member.adapters.members_postgres import PostgresMembers
from services.member.adapters.tables import MemberRow
from services.member.application.members import MemberService
from services.member.commands import MIGRATIONS
from services.member.settings import Settings
from services.member.web.internal import follow_account
from services.member.web.members import MembersController
from services.member.web.refusals import REFUSALS


def build(settings: Settings) -> Litestar:
    registry = metrics.new_registry()
    client = metrics.measured_client(registry)
    database = Database.of(settings, "member", registry)
    database.bind(MemberRow)
    idempotency = Idempotency(Records(database, ttl=settings.idempotency_ttl))
    delivery = outbox.Delivery(
        outbox.OutboxStore(database),
        targets={
            "auth": outbox.HttpTarget(client, settings.auth_url, internal_key=settings.internal_api_key),
        },
        registry=registry,
    )
    authenticator = TokenAuthenticator.of(settings, registry)
    members = MemberService(
        PostgresMembers(database), OutboxAccounts(database), database, lambda: datetime.now(UTC), uuid4
    )

    @asynccontextmanager
    async def schema() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        if settings.demo_data:
            await demo_data.load(database)
        yield

    return create_app(
        title="Gatehouse member",
        handlers=[
            MembersController,
            follow_account,
            outbox_administration("member", database),
        ],
        authenticator=authenticator,
        internal_key=settings.internal_api_key,
        dependencies=provided(members=members),
        refusals=REFUSALS,
        state={"idempotency": idempotency},
        lifespan=[
            database.lifespan,
            schema,
            client.lifespan,
            authenticator.lifespan,
            idempotency.lifespan,
            delivery.lifespan,
        ],
        checks={"postgres": database.check},
        registry=registry,
    )

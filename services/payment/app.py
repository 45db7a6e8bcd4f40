"""The payment service's parts, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from litestar import Litestar
from prometheus_client import Counter

from services.chassis import metrics, outbox
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.injection import provided
from services.chassis.migrations import migrate
from services.chassis.outbox.administration import administration as outbox_administration
from services.chassis.postgres import Database
from services.payment.adapters.events_postgres import PostgresEvents
from services.payment.adapters.payment_messages import ORDER, PROVIDER
from services.payment.adapters.payments_postgres import PostgresPayments
from services.payment.adapters.provider_target import ProviderTarget
from services.payment.adapters.reports_postgres import PostgresReports
from services.payment.adapters.rounds import FIRST_CHECK, Rounds
from services.payment.adapters.stripe_provider import StripeProvider
from services.payment.adapters.stripe_webhooks import StripeWebhooks
from services.payment.application.advancing import AdvancingService
from services.payment.application.events import EventService
from services.payment.application.payments import PaymentService
from services.payment.application.reconciliation import ReconciliationService
from services.payment.commands import MIGRATIONS
from services.payment.domain.calls import SETTLES_WITHIN
from services.payment.settings import Settings
from services.payment.web import internal, webhooks
from services.payment.web.parts import Parts
from services.payment.web.payments import PaymentsController
from services.payment.web.refusals import REFUSALS


def now() -> datetime:
    return datetime.now(UTC)


def build(
    settings: Settings, *, settles_within: timedelta = SETTLES_WITHIN, first_check: timedelta = FIRST_CHECK
) -> Litestar:
    registry = metrics.new_registry()
    client = metrics.measured_client(registry)
    database = Database.of(settings, "payment", registry)
    idempotency = Idempotency(Records(database, ttl=settings.idempotency_ttl))
    authenticator = TokenAuthenticator.of(settings, registry)
    provider = StripeProvider(settings.stripe_secret_key, base=settings.stripe_url)
    payments, reports = PostgresPayments(database, now), PostgresReports(database)
    advancing = AdvancingService(
        payments, provider, now, session_lasts=settings.session_lasts, settles_within=settles_within
    )
    reconciliation = ReconciliationService(provider, payments, reports)
    delivering = outbox.Delivery(
        outbox.OutboxStore(database),
        targets={
            ORDER: outbox.HttpTarget(client, settings.order_url, internal_key=settings.internal_api_key),
            PROVIDER: ProviderTarget(advancing),
        },
        registry=registry,
    )
    rounds = Rounds(
        payments,
        reports,
        reconciliation,
        registry,
        now,
        check_every=timedelta(seconds=settings.check_unfinished_every),
        compare_every=timedelta(seconds=settings.reconcile_every),
        first_check=first_check,
    )
    parts = Parts(
        payments=PaymentService(payments, provider.name, now),
        advancing=advancing,
        events=EventService(PostgresEvents(database), now),
        webhooks=StripeWebhooks(settings.webhook_secrets),
        reports=reports,
        reconciliation=reconciliation,
        heard=Counter(
            "payments_webhooks_total", "Webhooks, by what came of them.", ("outcome",), registry=registry
        ),
        ask_to_compare=rounds.ask_to_compare,
    )

    @asynccontextmanager
    async def schema() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        yield

    return create_app(
        title="Gatehouse payment",
        handlers=[
            PaymentsController,
            webhooks.hear,
            internal.want,
            internal.refund,
            internal.read,
            outbox_administration("payment", database),
        ],
        authenticator=authenticator,
        internal_key=settings.internal_api_key,
        dependencies=provided(payment=parts),
        refusals=REFUSALS,
        state={"idempotency": idempotency},
        lifespan=[
            database.lifespan,
            schema,
            client.lifespan,
            authenticator.lifespan,
            idempotency.lifespan,
            provider.lifespan,
            delivering.lifespan,
            rounds.lifespan,
        ],
        checks={"postgres": database.check},
        registry=registry,
    )

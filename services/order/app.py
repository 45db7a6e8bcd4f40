"""The order service's parts, put together."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from litestar import Litestar

from services.chassis import metrics, outbox
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.durability import warn_unless_kept
from services.chassis.idempotency import Idempotency, Records
from services.chassis.injection import provided
from services.chassis.mail.delivery import delivery
from services.chassis.mail.target import MailTarget
from services.chassis.migrations import migrate
from services.chassis.outbox.administration import administration as outbox_administration
from services.chassis.postgres import Database
from services.order.adapters.accounts_http import HttpAccounts
from services.order.adapters.answers import OVER_REFUND, Answers
from services.order.adapters.carts_postgres import KEPT, PostgresCarts
from services.order.adapters.expiry_loop import ExpiryLoop
from services.order.adapters.letters import Letters
from services.order.adapters.mail_writer import MailWriter
from services.order.adapters.measured_orders import MeasuredOrders
from services.order.adapters.order_messages import CATALOG, MAIL, PAYMENT, OutboxMessages
from services.order.adapters.payments_http import HttpPayments
from services.order.adapters.quotes_http import HttpQuotes
from services.order.adapters.refunds_postgres import PostgresRefunds
from services.order.application.carting import CartService
from services.order.application.claiming import ClaimService
from services.order.application.expiry import ExpiryService
from services.order.application.placing import PlacementService
from services.order.application.progress import ProgressService
from services.order.application.refunding import RefundService
from services.order.application.reporting import ReportService
from services.order.application.requests import RequestService
from services.order.commands import MIGRATIONS
from services.order.settings import Settings
from services.order.web import internal
from services.order.web.administration import AdministrationController
from services.order.web.cart import CartController
from services.order.web.orders import OrdersController
from services.order.web.parts import Parts
from services.order.web.refusals import REFUSALS


def now() -> datetime:
    return datetime.now(UTC)


def build(settings: Settings) -> Litestar:
    registry = metrics.new_registry()
    client = metrics.measured_client(registry)
    database = Database.of(settings, "order", registry)
    idempotency = Idempotency(Records(database, ttl=settings.idempotency_ttl))
    authenticator = TokenAuthenticator.of(settings, registry)
    key = settings.internal_api_key

    orders, carts, refunds = (
        MeasuredOrders(database, registry),
        PostgresCarts(database, uuid4),
        PostgresRefunds(database),
    )
    messages = OutboxMessages(database, orders, settings.site)
    quotes = HttpQuotes(client, settings.catalog_url, internal_key=key, currency=settings.store_currency)
    payments = HttpPayments(client, settings.payment_url, internal_key=key, site=settings.site)
    progress = ProgressService(orders=orders, messages=messages, work=database, clock=now)
    refunding = RefundService(
        orders=orders, refunds=refunds, messages=messages, work=database, clock=now, new_id=uuid4
    )
    carting = CartService(
        carts=carts,
        quotes=quotes,
        work=database,
        rates=settings.rates,
        currency=settings.store_currency,
        clock=now,
    )
    placing = PlacementService(
        orders=orders,
        carts=carts,
        carting=carting,
        messages=messages,
        hold=timedelta(seconds=settings.order_hold_seconds),
        clock=now,
        new_id=uuid4,
    )
    parts = Parts(
        accounts=HttpAccounts(client, settings.auth_url),
        carting=carting,
        claiming=ClaimService(orders=orders, work=database, clock=now),
        guests=authenticator,
        idempotency=idempotency,
        orders=orders,
        placing=placing,
        progress=progress,
        refunding=refunding,
        refunds=refunds,
        reporting=ReportService(
            orders=orders,
            refunds=refunds,
            refunding=refunding,
            messages=messages,
            progress=progress,
            work=database,
        ),
        requests=RequestService(
            orders=orders,
            refunds=refunds,
            progress=progress,
            messages=messages,
            payments=payments,
            work=database,
            clock=now,
        ),
    )
    answers = Answers(progress, refunding)
    letters = Letters(settings.site, settings.mail_from)
    writer = MailWriter(database, orders, refunds, letters, clock=now, chance=os.urandom)
    delivering = outbox.Delivery(
        outbox.OutboxStore(database),
        targets={
            CATALOG: outbox.StepTarget(
                client, settings.catalog_url, internal_key=key, take=answers.of_catalog
            ),
            PAYMENT: outbox.StepTarget(
                client,
                settings.payment_url,
                internal_key=key,
                take=answers.of_payment,
                outcomes={OVER_REFUND},
            ),
            MAIL: MailTarget(writer, delivery(settings.mail_url), clock=time.time),
        },
        registry=registry,
    )

    async def beside() -> None:
        await orders.measure()
        await carts.forget(now() - KEPT, 200)

    expiry = ExpiryLoop(ExpiryService(orders=orders, progress=progress, clock=now), beside)

    @asynccontextmanager
    async def schema() -> AsyncIterator[None]:
        await migrate(database, *MIGRATIONS)
        await warn_unless_kept(database)
        yield

    return create_app(
        title="Gatehouse order",
        handlers=[
            CartController,
            OrdersController,
            AdministrationController,
            internal.report_payment,
            outbox_administration("order", database),
        ],
        authenticator=authenticator,
        internal_key=key,
        dependencies=provided(order=parts),
        refusals=REFUSALS,
        state={"idempotency": idempotency},
        lifespan=[
            database.lifespan,
            schema,
            client.lifespan,
            authenticator.lifespan,
            idempotency.lifespan,
            delivering.lifespan,
            expiry.lifespan,
        ],
        checks={"postgres": database.check},
        registry=registry,
    )

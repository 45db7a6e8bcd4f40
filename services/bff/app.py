"""The bff's parts, put together."""

from datetime import UTC, datetime

from litestar import Litestar

from services.bff.adapters.clients import (
    AuthClient,
    CatalogClient,
    MemberClient,
    OrderClient,
    OutboxClient,
    PaymentClient,
)
from services.bff.adapters.source import Source
from services.bff.application.screens import Screens
from services.bff.application.storefront import ShopScreens
from services.bff.application.today import ShopkeeperScreens
from services.bff.settings import Settings
from services.bff.web.refusals import REFUSALS
from services.bff.web.screens import account_page, home
from services.bff.web.shop import checkout, storefront
from services.bff.web.shopkeeper import today
from services.chassis import metrics
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.injection import provided


def build(settings: Settings) -> Litestar:
    registry = metrics.new_registry()
    client = metrics.measured_client(registry)
    authenticator = TokenAuthenticator.of(settings, registry)

    def source(name: str, url: str) -> Source:
        return Source(name, client, url, deadline=settings.source_deadline)

    sources = {
        "auth": source("auth", settings.auth_url),
        "member": source("member", settings.member_url),
        "catalog": source("catalog", settings.catalog_url),
        "order": source("order", settings.order_url),
        "payment": source("payment", settings.payment_url),
    }
    members = MemberClient(sources["member"])
    catalog, orders = CatalogClient(sources["catalog"]), OrderClient(sources["order"])
    screens = Screens(members, AuthClient(sources["auth"]))
    shop = ShopScreens(members, catalog, orders)
    shopkeeper = ShopkeeperScreens(
        orders,
        PaymentClient(sources["payment"]),
        catalog,
        {name: OutboxClient(each, name) for name, each in sources.items()},
        clock=lambda: datetime.now(UTC),
    )
    return create_app(
        title="Gatehouse bff",
        handlers=[home, account_page, storefront, checkout, today],
        authenticator=authenticator,
        dependencies=provided(screens=screens, shop=shop, shopkeeper=shopkeeper),
        refusals=REFUSALS,
        lifespan=[client.lifespan, authenticator.lifespan],
        checks={"access tokens": authenticator.check},
        registry=registry,
    )

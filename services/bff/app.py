"""The bff's parts, put together."""

from litestar import Litestar

from services.bff.adapters.clients import AuthClient, CatalogClient, MemberClient, OrderClient
from services.bff.adapters.source import Source
from services.bff.application.screens import Screens
from services.bff.application.storefront import ShopScreens
from services.bff.settings import Settings
from services.bff.web.refusals import REFUSALS
from services.bff.web.screens import account_page, home
from services.bff.web.shop import checkout, storefront
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

    members = MemberClient(source("member", settings.member_url))
    screens = Screens(members, AuthClient(source("auth", settings.auth_url)))
    shop = ShopScreens(
        members,
        CatalogClient(source("catalog", settings.catalog_url)),
        OrderClient(source("order", settings.order_url)),
    )
    return create_app(
        title="Gatehouse bff",
        handlers=[home, account_page, storefront, checkout],
        authenticator=authenticator,
        dependencies=provided(screens=screens, shop=shop),
        refusals=REFUSALS,
        lifespan=[client.lifespan, authenticator.lifespan],
        checks={"access tokens": authenticator.check},
        registry=registry,
    )

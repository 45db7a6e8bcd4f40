"""The bff's parts, put together."""

from litestar import Litestar

from common.http_client import HttpClient
from services.bff.adapters.clients import AuthClient, MemberClient
from services.bff.adapters.source import Source
from services.bff.application.screens import Screens
from services.bff.settings import Settings
from services.bff.web.refusals import REFUSALS
from services.bff.web.screens import account_page, home
from services.chassis.app import create_app
from services.chassis.authentication import TokenAuthenticator
from services.chassis.injection import provided


def build(settings: Settings) -> Litestar:
    client = HttpClient()
    authenticator = TokenAuthenticator.of(settings)
    screens = Screens(
        MemberClient(Source("member", client, settings.member_url, deadline=settings.source_deadline)),
        AuthClient(Source("auth", client, settings.auth_url, deadline=settings.source_deadline)),
    )
    return create_app(
        title="Gatehouse bff",
        handlers=[home, account_page],
        authenticator=authenticator,
        dependencies=provided(screens=screens),
        refusals=REFUSALS,
        lifespan=[client.lifespan, authenticator.lifespan],
        checks={"access tokens": authenticator.check},
    )

"""The configuration that requests meet, and how another one takes its place."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from devstack.gateway import admission, advertised, attachments, chain, own_answers
from devstack.gateway.entities import Configuration
from devstack.gateway.listener import Incoming
from devstack.gateway.own_answers import OwnAnswers
from devstack.gateway.proxy import Limits, Proxy
from devstack.gateway.router import Router
from devstack.gateway.upstream import Upstream


class InForce:
    """Requests that come after `take` meet the new configuration; those under way end with theirs."""

    def __init__(
        self, environment: Mapping[str, str], session: aiohttp.ClientSession, configuration: Configuration
    ) -> None:
        self._environment = environment
        self._session = session
        self._own = OwnAnswers(
            own_answers.read_templates(environment), environment.get("KONG_ERROR_DEFAULT_TYPE", "text/plain")
        )
        self.configuration = configuration
        self._proxy = self._proxy_for(configuration)

    def take(self, configuration: Configuration) -> None:
        """Raises ConfigError, with nothing changed, for what Kong would refuse."""
        attachments.read_dumps_again()
        self._proxy = self._proxy_for(configuration)
        self.configuration = configuration

    async def handle(self, request: Incoming) -> None:
        """Answers one request."""
        await self._proxy.handle(request)

    def _proxy_for(self, configuration: Configuration) -> Proxy:
        environment = self._environment
        attached, passed_over = attachments.attach(configuration, environment, self._own)
        if passed_over:
            print(f"stand-in for Kong: passes over these plugins: {', '.join(passed_over)}", flush=True)
        return Proxy(
            router=Router(configuration.routes),
            chains=chain.build(configuration, attached),
            upstream=Upstream(
                self._session,
                configuration.upstreams,
                admission.size(environment.get("KONG_NGINX_PROXY_PROXY_BUFFER_SIZE", "4k")),
            ),
            own=self._own,
            limits=Limits(
                admission.size(environment.get("KONG_NGINX_PROXY_CLIENT_MAX_BODY_SIZE", "0")),
                environment.get("KONG_NGINX_PROXY_UNDERSCORES_IN_HEADERS", "on") != "off",
            ),
            headers=advertised.enabled(environment.get("KONG_HEADERS")),
        )

"""What Kong knows of a request, by one question: a variable of its nginx (kong/access-summary.conf).

Each question is four system calls for Kong, which sends an answer's length by itself, and two or more for the plugin.
A Kong without the variable is asked for each part; it says the same.
"""

import msgspec

from kong.plugins.runtime.entities import Service
from kong.plugins.runtime.pdk import Kong, Question

VARIABLE = "gatehouse_request"

KONG_REQUEST_ID = "kong_request_id"
"""The nginx variable with Kong's id of a request: the same at every reading, and no client can choose it. (nginx' own
`request_id` is another at every reading, as Kong's configuration does not index it.)"""
UPSTREAM_HOST = "upstream_host"
"""The nginx variable with the host that the service is told of; before the balancer only where a client chose it."""


class Summary(msgspec.Struct, frozen=True):
    """In the variable's order.

    `host` is the one that Kong takes for asked. `target` is path and query as the client spelt them. `service` is the
    one that Kong's router has found, by its name; empty where that has to be asked for. `upstream_host` is the host
    that the service is told of, where that is the client's (preserve_host), and else empty.
    """

    request_id: str
    method: str
    host: str
    target: str
    service: str
    upstream_host: str


def question(kong: Kong) -> Question[str | None]:
    """To be asked with a plugin's others; `complete` takes its answer."""
    return kong.nginx.get_var(VARIABLE)


async def complete(kong: Kong, answer: str | None) -> Summary:
    """The summary that Kong gave, or one of what it says when asked for each part."""
    if answer is not None:
        parts = answer.split("\n", 5)
        if len(parts) == 6:
            return Summary(*parts)
    request_id, method, host, target, upstream_host = await kong.gather(
        kong.nginx.get_var(KONG_REQUEST_ID),
        kong.request.get_method(),
        kong.request.get_host(),
        kong.request.get_path_with_query(),
        kong.nginx.get_var(UPSTREAM_HOST),
    )
    return Summary(request_id or "", method, host, target, "", upstream_host or "")


async def service(kong: Kong, summary: Summary) -> str:
    """The service's name; of one without that its address: Kong makes a new id each time that it reads its file."""
    if summary.service:
        return summary.service
    found: Service | None = await kong.router.get_service()
    if found is None:
        return ""
    return found.name or f"{found.protocol}://{found.host}:{found.port}{found.path or ''}"

"""What handlers take by parameter name: `site`, and the page's context as `guest`, `anybody`, `visitor`, `entrant`,
`member` or `admin`."""

from litestar.di import NamedDependency, Provide

from frontend_proxy.pages import page_context
from frontend_proxy.pages.page_context import PageContext
from frontend_proxy.pages.site import Site

InjectedSite = NamedDependency[Site]
InjectedPageContext = NamedDependency[PageContext]


def providers(site: Site) -> dict[str, Provide]:
    """The providers. The name of the parameter says which session the page needs (page_context.py)."""
    return {
        "site": Provide(lambda: site, sync_to_thread=False),
        "guest": Provide(page_context.guest, sync_to_thread=False),
        "visitor": Provide(page_context.visitor, sync_to_thread=False),
        "anybody": Provide(page_context.anybody, sync_to_thread=False),
        "entrant": Provide(page_context.entrant, sync_to_thread=False),
        "member": Provide(page_context.member, sync_to_thread=False),
        "admin": Provide(page_context.admin, sync_to_thread=False),
    }

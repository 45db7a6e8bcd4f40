"""What a handler is given by its parameters: `site`, and the visitor as `guest`, `visitor` or `member`."""

from litestar.di import NamedDependency, Provide

from frontend_proxy.pages import visitor
from frontend_proxy.pages.site import Site
from frontend_proxy.pages.visitor import Visitor

TheSite = NamedDependency[Site]
TheVisitor = NamedDependency[Visitor]


def dependencies(site: Site) -> dict[str, Provide]:
    """The providers. The visitor's parameter says what the page needs: see visitor.py."""
    return {
        "site": Provide(lambda: site, sync_to_thread=False),
        "guest": Provide(visitor.guest, sync_to_thread=False),
        "visitor": Provide(visitor.visitor, sync_to_thread=False),
        "member": Provide(visitor.member, sync_to_thread=False),
    }

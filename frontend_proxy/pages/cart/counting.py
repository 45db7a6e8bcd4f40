"""How many things are in the cart, for the menu of every page."""

from collections.abc import Mapping
from typing import Any

from frontend_proxy import cookies
from frontend_proxy.cookies import Header
from frontend_proxy.pages.page_context import CART_COOKIE


def count(cart: Mapping[str, Any]) -> int:
    return sum(line["quantity"] for line in cart["lines"])


def in_cart(number: int, *, secure: bool) -> Header:
    """The `Set-Cookie` that remembers it."""
    return cookies.preference(CART_COOKIE, str(min(number, 9999)) if number else "", secure=secure)

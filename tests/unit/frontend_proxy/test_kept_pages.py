"""What is rendered once, and how much of it is kept."""

from frontend_proxy.pages import kept_pages
from frontend_proxy.pages.kept_pages import KeptPages

MENU = object()


def test_a_page_is_rendered_once_for_what_it_is_made_of_and_anew_with_another_menu() -> None:
    pages, rendered = KeptPages(), iter(range(9))
    for made_of, menu, content in (
        ("a", MENU, "0"),
        ("a", MENU, "0"),
        ("b", MENU, "1"),
        ("a", object(), "2"),
    ):
        assert pages.page(made_of, menu, lambda: str(next(rendered)).encode()) == content.encode()


def test_neither_many_pages_nor_large_ones_are_kept() -> None:
    pages, large = KeptPages(), "\uc0c1".encode() * (kept_pages.LARGEST // 3 + 1)
    for number in range(kept_pages.MOST + 1):
        pages.page(number, MENU, bytes)
    assert pages.page(0, MENU, lambda: b"anew") == b"anew", "it was the oldest"
    assert pages.page(2, MENU, lambda: b"anew") == b""
    pages.page("large", MENU, lambda: large)
    assert pages.page("large", MENU, lambda: b"anew") == b"anew"

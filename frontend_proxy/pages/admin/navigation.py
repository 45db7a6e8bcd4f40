"""The shopkeeper's menu: a section for each kind of work, in the order in which a day goes."""

SECTIONS = (
    ("today", "/admin"),
    ("orders", "/admin/orders"),
    ("products", "/admin/products"),
    ("stock", "/admin/stock"),
    ("members", "/members"),
    ("money", "/admin/money"),
    ("stuck", "/admin/stuck"),
)
"""Name (`admin.section_<name>` is its text) and address. Only pages that exist: of today, orders, products, stock,
members, money, stuck."""

"""Carts and orders: what was bought, for how much, and how far it is. Its row decides between stock and money."""

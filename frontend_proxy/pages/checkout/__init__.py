"""From a cart to an order, on one page."""

"""The shopkeeper's products: the list, and one form for all that a product is."""
